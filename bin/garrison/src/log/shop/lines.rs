//! How the programs of the story write their lines.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::Offset;

/// One line of one log.
#[derive(Debug, Clone)]
pub struct Line {
    pub at: Timestamp,
    pub host: &'static str,
    /// The log's file name.
    pub log: &'static str,
    pub text: String,
}

impl Line {
    /// The line as it reaches another machine: with the name of its host, in the way that its program has for that.
    pub fn passed_on(&self) -> Cow<'_, str> {
        let Self { at, host, log, text } = self;
        match *log {
            // `access_log syslog:server=...`
            "access.log" => format!("{} {host} nginx: {text}", civil(*at, "%b %e %H:%M:%S")).into(),
            // `name_format = hostname` of auditd.conf
            "audit.log" => format!("node={host} {text}").into(),
            _ => text.into(),
        }
    }
}

/// `Nov 22 10:00:00 web-1 sshd[1]: text`
pub fn syslog(at: Timestamp, host: &'static str, log: &'static str, tag: &str, message: &str) -> Line {
    let text = format!("{} {host} {tag}: {message}", civil(at, "%b %e %H:%M:%S"));
    Line { at, host, log, text }
}

/// A line of the kernel, with its seconds since the start of the machine.
pub fn kernel(at: Timestamp, host: &'static str, message: &str) -> Line {
    let uptime = at.as_second().rem_euclid(10_000_000);
    syslog(at, host, "kern.log", "kernel", &format!("[{uptime}.{:06}] {message}", at.subsec_microsecond()))
}

/// A request to a web server.
pub struct Request<'r> {
    pub client: &'r str,
    /// Method and target.
    pub target: &'r str,
    pub status: u16,
    pub size: u64,
    pub referer: &'r str,
    pub agent: &'r str,
}

/// A line of nginx's combined log.
pub fn access(at: Timestamp, host: &'static str, request: &Request<'_>) -> Line {
    let Request { client, target, status, size, referer, agent } = request;
    let time = civil(at, "%d/%b/%Y:%H:%M:%S +0000");
    let text =
        format!("{client} - - [{time}] \"{target} HTTP/1.1\" {status} {size} \"{referer}\" \"{agent}\"");
    Line { at, host, log: "access.log", text }
}

/// A program that auditd saw start.
pub struct Exec<'e> {
    pub exe: &'e str,
    pub arguments: &'e [&'e str],
    pub auid: u32,
    pub uid: u32,
    pub cwd: &'e str,
}

/// The records of one `execve`.
pub fn exec(at: Timestamp, host: &'static str, serial: u64, exec: &Exec<'_>) -> Vec<Line> {
    let Exec { exe, arguments, auid, uid, cwd } = exec;
    let comm = exe.rsplit('/').next().unwrap_or(exe);
    let pid = 2000 + serial % 30_000;
    let quoted = (0..).zip(*arguments).fold(String::new(), |mut text, (place, argument)| {
        let _ = write!(text, " a{place}={}", encoded(argument));
        text
    });
    let title = arguments.join("\0");
    audit(
        at,
        host,
        serial,
        [
            (
                "SYSCALL",
                format!(
                    "arch=c000003e syscall=59 success=yes exit=0 a0=55d0c0a8 a1=55d0c0b0 a2=55d0c0c8 a3=8 items=2 ppid={} pid={pid} \
                 auid={auid} uid={uid} gid={uid} euid={uid} suid={uid} fsuid={uid} egid={uid} sgid={uid} fsgid={uid} tty=(none) \
                 ses=12 comm=\"{comm}\" exe=\"{exe}\" subj=unconfined key=\"exec\"",
                    pid - 1
                ),
            ),
            ("EXECVE", format!("argc={}{quoted}", arguments.len())),
            ("CWD", format!("cwd=\"{cwd}\"")),
            (
                "PATH",
                format!(
                    "item=0 name=\"{exe}\" inode=131842 dev=fd:00 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL"
                ),
            ),
            ("PROCTITLE", format!("proctitle={}", hex(&title))),
        ],
    )
}

/// The records of one audit event.
pub fn audit<const N: usize>(
    at: Timestamp,
    host: &'static str,
    serial: u64,
    records: [(&str, String); N],
) -> Vec<Line> {
    let id = format!("{}.{:03}:{serial}", at.as_second(), at.subsec_millisecond());
    let line = |(kind, body)| Line {
        at,
        host,
        log: "audit.log",
        text: format!("type={kind} msg=audit({id}): {body}"),
    };
    records.into_iter().map(line).collect()
}

/// auditd writes text with blanks or quotes in hexadecimal.
fn encoded(text: &str) -> String {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if plain { format!("\"{text}\"") } else { hex(text) }
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}

/// A CloudTrail record.
pub fn cloudtrail(at: Timestamp, service: &str, name: &str, role: &str, source: &str) -> Line {
    let text = serde_json::json!({
        "eventVersion": "1.09",
        "eventTime": civil(at, "%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": format!("{service}.amazonaws.com"),
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": source,
        "userAgent": "aws-sdk-go-v2/1.30.3",
        "eventType": "AwsApiCall",
        "readOnly": true,
        "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/i-0abc"),
            "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {"type": "Role", "userName": role}},
        },
    });
    Line { at, host: "aws", log: "cloudtrail.json", text: text.to_string() }
}

fn civil(at: Timestamp, form: &str) -> String {
    Offset::UTC.to_datetime(at).strftime(form).to_string()
}
