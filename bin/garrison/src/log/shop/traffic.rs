//! An ordinary day: nothing in it is wrong.

use fastrand::Rng;
use jiff::Timestamp;

use super::lines::{Exec, Line, Request, access, cloudtrail, exec, kernel, syslog};
use super::{HOSTS, moment};

const STAFF: [(&str, u32); 4] = [("alice", 1001), ("bob", 1002), ("carol", 1003), ("deploy", 1100)];
const WEB: [&str; 5] = ["lb-1", "lb-2", "web-1", "web-2", "web-3"];
const APP: [&str; 3] = ["app-1", "app-2", "app-3"];

/// One thing that happens, in one or more lines.
pub fn event(at: Timestamp, serial: u64, rng: &mut Rng) -> Vec<Line> {
    match rng.u32(0..1000) {
        0..550 => vec![request(at, rng)],
        550..640 => program(at, serial, rng),
        640..720 => vec![cron(at, rng)],
        720..780 => login(at, rng),
        780..800 => sudo(at, rng),
        800..860 => vec![chatter(at, rng)],
        860..920 => vec![stray_packet(at, rng)],
        920..990 => vec![cloud(at, rng)],
        _ => mistyped_password(at, rng),
    }
}

#[expect(clippy::indexing_slicing, reason = "the place is drawn from the length; no list is empty")]
fn pick<T: Copy>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.usize(0..choices.len())]
}

fn host(rng: &mut Rng) -> &'static str {
    pick(rng, &HOSTS).0
}

fn pid(rng: &mut Rng) -> u32 {
    rng.u32(900..32_000)
}

/// A customer's address, in the blocks for documentation. 203.0.113.24 stays free for the attacker.
fn customer(rng: &mut Rng) -> String {
    let block = pick(rng, &["198.51.100", "192.0.2", "203.0.113"]);
    format!("{block}.{}", rng.u8(30..250))
}

fn request(at: Timestamp, rng: &mut Rng) -> Line {
    const AGENTS: [&str; 4] = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    ];
    const SEARCHES: [&str; 6] =
        ["red+shoes", "t-shirt", "caf%C3%A9+cups", "garden+select", "union+jack+mug", "winter%20coat"];
    let number = rng.u32(1..4000);
    let (request, status) = match rng.u32(0..100) {
        0..30 => (format!("GET /product/{number}"), 200),
        30..45 => (format!("GET /static/img/{number}.webp"), 200),
        45..55 => ("GET /".to_owned(), 200),
        55..65 => (format!("GET /search?q={}&page={}", pick(rng, &SEARCHES), rng.u8(1..9)), 200),
        65..75 => ("POST /api/cart".to_owned(), 201),
        75..80 => ("POST /login".to_owned(), 302),
        80..85 => (format!("GET /uploads/reviews/{number}.jpg"), 200),
        85..90 => ("GET /static/app.js?v=81".to_owned(), 304),
        90..93 => ("GET /favicon.ico".to_owned(), 404),
        93..96 => ("POST /api/checkout".to_owned(), 200),
        96..98 => ("GET /robots.txt".to_owned(), 200),
        _ => (format!("GET /order/{number}/invoice.pdf"), 200),
    };
    let (client, agent) = (customer(rng), pick(rng, &AGENTS));
    let referer = if rng.bool() { "-" } else { "https://shop.example/" };
    let size = u64::from(rng.u32(120..90_000));
    access(at, pick(rng, &WEB), &Request { client: &client, target: &request, status, size, referer, agent })
}

fn program(at: Timestamp, serial: u64, rng: &mut Rng) -> Vec<Line> {
    const NOBODY: u32 = 4_294_967_295;
    let programs: [(&str, &[&str], u32, u32, &str); 8] = [
        ("/usr/bin/ls", &["ls", "-la", "/srv/shop"], 1001, 1001, "/home/alice"),
        ("/usr/bin/ps", &["ps", "aux"], 1002, 1002, "/home/bob"),
        ("/usr/bin/cat", &["cat", "/etc/hostname"], 1001, 1001, "/home/alice"),
        ("/usr/bin/systemctl", &["systemctl", "status", "shop-worker"], 1100, 1100, "/home/deploy"),
        (
            "/usr/bin/python3.11",
            &["/usr/bin/python3", "/opt/shop/worker.py", "--queue", "orders"],
            NOBODY,
            990,
            "/opt/shop",
        ),
        (
            "/usr/bin/journalctl",
            &["journalctl", "-u", "nginx", "--since", "1 hour ago"],
            1003,
            1003,
            "/home/carol",
        ),
        ("/usr/sbin/logrotate", &["/usr/sbin/logrotate", "/etc/logrotate.conf"], NOBODY, 0, "/"),
        ("/usr/bin/rsync", &["rsync", "-a", "/srv/shop/", "backup-1:/srv/backup/"], NOBODY, 0, "/root"),
    ];
    let (exe, arguments, auid, uid, cwd) = pick(rng, &programs);
    exec(at, host(rng), serial, &Exec { exe, arguments, auid, uid, cwd })
}

fn cron(at: Timestamp, rng: &mut Rng) -> Line {
    const JOBS: [&str; 5] = [
        "   cd / && run-parts --report /etc/cron.hourly",
        "/usr/local/bin/backup.sh",
        "command -v debian-sa1 > /dev/null && debian-sa1 1 1",
        "/usr/sbin/logrotate /etc/logrotate.conf",
        "/usr/bin/certbot -q renew",
    ];
    let message = format!("(root) CMD ({})", pick(rng, &JOBS));
    syslog(at, host(rng), "syslog", &format!("CRON[{}]", pid(rng)), &message)
}

fn login(at: Timestamp, rng: &mut Rng) -> Vec<Line> {
    const FINGERPRINT: &str = "ED25519 SHA256:0WmpL3DxQmG1nSTrJ8yH5bq2fHhX0cS3yXv9aFqk1Zs";
    let (user, uid) = pick(rng, &STAFF);
    let (host, tag) = (host(rng), format!("sshd[{}]", pid(rng)));
    let port = rng.u16(32_768..61_000);
    let from = format!("10.20.0.{}", rng.u8(20..60));
    let later = |seconds: i128| moment(at, seconds * 1_000_000_000);
    vec![
        syslog(
            at,
            host,
            "auth.log",
            &tag,
            &format!("Accepted publickey for {user} from {from} port {port} ssh2: {FINGERPRINT}"),
        ),
        syslog(
            at,
            host,
            "auth.log",
            &tag,
            &format!("pam_unix(sshd:session): session opened for user {user}(uid={uid}) by (uid=0)"),
        ),
        syslog(
            later(1),
            host,
            "auth.log",
            "systemd-logind[611]",
            &format!("New session {} of user {user}.", port / 100),
        ),
        syslog(
            later(2),
            host,
            "auth.log",
            &tag,
            &format!("Received disconnect from {from} port {port}:11: disconnected by user"),
        ),
        syslog(
            later(2),
            host,
            "auth.log",
            &tag,
            &format!("pam_unix(sshd:session): session closed for user {user}"),
        ),
    ]
}

fn mistyped_password(at: Timestamp, rng: &mut Rng) -> Vec<Line> {
    let (user, _) = pick(rng, &STAFF[..3]);
    let tag = format!("sshd[{}]", pid(rng));
    let (from, port) = (format!("10.20.0.{}", rng.u8(20..60)), rng.u16(32_768..61_000));
    let line = |at, message: &str| {
        syslog(
            at,
            "bastion-1",
            "auth.log",
            &tag,
            &format!("{message} for {user} from {from} port {port} ssh2"),
        )
    };
    vec![line(at, "Failed password"), line(moment(at, 4_000_000_000), "Accepted password")]
}

fn sudo(at: Timestamp, rng: &mut Rng) -> Vec<Line> {
    const COMMANDS: [&str; 5] = [
        "/usr/bin/systemctl restart shop-worker",
        "/usr/bin/systemctl reload nginx",
        "/usr/bin/journalctl -u nginx -n 200",
        "/usr/bin/apt-get update",
        "/usr/bin/systemctl status postgresql",
    ];
    let (user, uid) = pick(rng, &STAFF);
    let host = host(rng);
    let command =
        format!("{user:>8} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND={}", pick(rng, &COMMANDS));
    vec![
        syslog(at, host, "auth.log", "sudo", &command),
        syslog(
            at,
            host,
            "auth.log",
            "sudo",
            &format!("pam_unix(sudo:session): session opened for user root(uid=0) by {user}(uid={uid})"),
        ),
        syslog(
            moment(at, 900_000_000),
            host,
            "auth.log",
            "sudo",
            "pam_unix(sudo:session): session closed for user root",
        ),
    ]
}

fn chatter(at: Timestamp, rng: &mut Rng) -> Line {
    let pid = pid(rng);
    match rng.u32(0..6) {
        0 => syslog(
            at,
            "db-1",
            "syslog",
            &format!("postgres[{pid}]"),
            &format!("[{}-1] LOG:  checkpoint complete: wrote {} buffers", pid % 90, pid / 7),
        ),
        1 => syslog(
            at,
            "db-2",
            "syslog",
            &format!("postgres[{pid}]"),
            "[4-1] LOG:  started streaming WAL from primary at 3/5A000000 on timeline 1",
        ),
        2 => syslog(
            at,
            "mail-1",
            "mail.log",
            &format!("postfix/smtp[{pid}]"),
            &format!(
                "{:X}: to=<customer{}@example.net>, relay=mx.example.net[198.51.100.25]:25, delay=0.{}, status=sent (250 OK)",
                pid * 977,
                pid % 900,
                pid % 9
            ),
        ),
        3 => {
            syslog(at, host(rng), "syslog", "systemd[1]", "Started session cleanup of temporary directories.")
        }
        4 => kernel(
            at,
            pick(rng, &APP),
            &format!(
                "TCP: request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies. Dropped {}",
                pid % 5
            ),
        ),
        _ => syslog(
            at,
            "cache-1",
            "syslog",
            &format!("redis[{pid}]"),
            &format!("Background saving terminated with success, {} changes", pid / 3),
        ),
    }
}

fn stray_packet(at: Timestamp, rng: &mut Rng) -> Line {
    let port = pick(rng, &[22, 23, 81, 1900, 5060, 5555, 6379, 8081, 8443, 37_215]);
    let (name, address) = pick(rng, &HOSTS[..2]);
    kernel(at, name, &blocked(&customer(rng), address, rng.u16(1024..65_000), port))
}

/// A packet that the firewall stopped.
pub fn blocked(from: &str, to: &str, source_port: u16, port: u16) -> String {
    format!(
        "[UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 SRC={from} DST={to} LEN=40 TOS=0x00 PREC=0x00 \
         TTL=240 ID={source_port} PROTO=TCP SPT={source_port} DPT={port} WINDOW=1024 RES=0x00 SYN URGP=0"
    )
}

fn cloud(at: Timestamp, rng: &mut Rng) -> Line {
    let calls = [
        ("ec2", "DescribeInstances", "shop-monitor"),
        ("s3", "GetObject", "shop-web"),
        ("s3", "PutObject", "shop-backup"),
        ("sts", "AssumeRole", "shop-deploy"),
        ("kms", "Decrypt", "shop-app"),
        ("logs", "CreateLogStream", "shop-app"),
    ];
    let (service, name, role) = pick(rng, &calls);
    cloudtrail(at, service, name, role, &format!("10.20.3.{}", rng.u8(11..14)))
}
