//! What a decoder says of an event.

use std::borrow::Cow;
use std::fmt;

use garrison_base::{Fields, Value};

use crate::time::{self, Claimed, Guess};

/// One decoded event.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// How the event was written.
    pub format: Format,
    /// What it tells of: the key into the taxonomy of log sources.
    pub kind: Kind,
    /// The line on which the event begins, or its number in a file that has no lines; from 1.
    pub line: u64,
    /// The event as it came. The lines of one auditd event are joined by line feeds.
    pub raw: Cow<'a, [u8]>,
    /// The time as the line's head has it, not yet read.
    pub stamp: Option<Cow<'a, str>>,
    /// Everything the event says.
    pub fields: Fields<'a>,
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name, as it is shown and as data files spell it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

named! {
    /// How an event was written.
    Format {
        /// RFC 3164: `<34>Oct 11 22:14:15 host su: text`; files leave out the number in front.
        Rfc3164 = "rfc3164",
        /// RFC 5424: `<34>1 2003-10-11T22:14:15Z host su - ID47 - text`.
        Rfc5424 = "rfc5424",
        /// rsyslog's and journalctl's line with an RFC 3339 time: `2003-10-11T22:14:15+00:00 host su: text`.
        Rsyslog = "rsyslog",
        /// auditd records.
        Auditd = "auditd",
        /// Common and combined access logs of web servers.
        Access = "access",
        /// A Windows event file.
        Evtx = "evtx",
        /// A Windows event in XML.
        Xml = "xml",
        /// A JSON object.
        Json = "json",
        /// `key=value` pairs.
        Pairs = "pairs",
        /// What no decoder understands.
        Raw = "raw",
    }
}

named! {
    /// What an event tells of.
    Kind {
        /// A Windows event, also Sysmon for Linux.
        Windows = "windows",
        /// OpenSSH's server.
        Sshd = "sshd",
        /// sudo.
        Sudo = "sudo",
        /// su.
        Su = "su",
        /// A PAM module, in whatever program.
        Pam = "pam",
        /// cron and crontab.
        Cron = "cron",
        /// useradd, usermod, passwd and their relatives.
        Accounts = "accounts",
        /// The kernel.
        Kernel = "kernel",
        /// A packet that the kernel's firewall logged.
        Firewall = "firewall",
        /// Any other program by syslog or journal.
        Syslog = "syslog",
        /// A Cisco device.
        Cisco = "cisco",
        /// An auditd event.
        Auditd = "auditd",
        /// An auditd event of a program that was started.
        AuditdExec = "auditd-exec",
        /// An auditd event of a file that was created.
        AuditdFile = "auditd-file",
        /// An auditd event of a connection.
        AuditdNetwork = "auditd-network",
        /// A request to a web server.
        Access = "access",
        /// AWS CloudTrail.
        CloudTrail = "cloudtrail",
        /// Zeek.
        Zeek = "zeek",
        /// A JSON object of no known kind.
        Json = "json",
        /// Pairs of no known kind.
        Pairs = "pairs",
        /// Text of no known kind.
        Text = "text",
    }
}

/// A promoted column: what every event is asked for, whatever its source calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The attribute's name in OCSF 1.x, <https://schema.ocsf.io>.
    pub ocsf: &'static str,
    /// The fields that may hold it, the best first.
    fields: &'static [&'static str],
}

/// The promoted columns.
pub mod column {
    use super::Column;

    macro_rules! columns {
        ($($(#[$doc:meta])* $name:ident = $ocsf:literal [$($field:literal),+];)*) => {
            $($(#[$doc])* pub const $name: Column = Column { ocsf: $ocsf, fields: &[$($field),+] };)*
            /// All promoted columns.
            pub const ALL: &[Column] = &[$($name),*];
        };
    }

    columns! {
        /// The machine that the event is about.
        HOST = "device.hostname" ["Computer", "Hostname", "computer_name", "_HOSTNAME", "hostname", "host", "host.name", "node", "agent.hostname", "agent.name"];
        /// Who acted.
        USER = "actor.user.name" ["user", "SubjectUserName", "User", "userIdentity.userName", "cs-username", "userIdentity.arn", "acct", "AUID", "UID", "AccountName", "user.name", "username", "actor.alternateId", "user.username"];
        /// On whose account it was done.
        TARGET_USER = "user.name" ["target_user", "TargetUserName", "requestParameters.userName"];
        /// Where it came from.
        SRC_IP = "src_endpoint.ip" ["src_ip", "c-ip", "SourceIp", "IpAddress", "sourceIPAddress", "id.orig_h", "addr", "ClientAddress", "SourceAddress", "source.ip", "client_ip", "remote_addr", "src", "client.ipAddress", "sourceIPs"];
        /// The port it came from.
        SRC_PORT = "src_endpoint.port" ["src_port", "SourcePort", "IpPort", "id.orig_p", "source.port"];
        /// Where it went to.
        DST_IP = "dst_endpoint.ip" ["dst_ip", "DestinationIp", "id.resp_h", "DestAddress", "destination.ip", "dst"];
        /// The port it went to.
        DST_PORT = "dst_endpoint.port" ["dst_port", "DestinationPort", "id.resp_p", "DestPort", "destination.port"];
        /// The program.
        PROCESS = "process.file.path" ["Image", "NewProcessName", "exe", "SourceImage", "process.executable", "ProcessName", "_EXE"];
        /// The program's name, where there is no path.
        PROCESS_NAME = "process.name" ["comm", "program", "_COMM", "SYSLOG_IDENTIFIER"];
        /// The program's process id.
        PID = "process.pid" ["NewProcessId", "ProcessId", "pid", "_PID"];
        /// How the program was called.
        CMD_LINE = "process.cmd_line" ["CommandLine", "cmdline", "command", "_CMDLINE", "process.command_line"];
        /// The program that started it.
        PARENT = "process.parent_process.file.path" ["ParentImage", "ParentProcessName"];
        /// The file concerned.
        FILE = "file.path" ["TargetFilename", "created", "ObjectName", "file.path"];
        /// The registry key concerned.
        REGISTRY = "reg_key.path" ["TargetObject"];
        /// The method of a web request.
        METHOD = "http_request.http_method" ["cs-method", "method", "http.method"];
        /// What a web request asked for.
        URL = "http_request.url.url_string" ["c-uri", "cs-uri", "uri", "url"];
        /// What a web request says it was made by.
        USER_AGENT = "http_request.user_agent" ["cs-user-agent", "userAgent", "user_agent"];
        /// The web server's answer.
        STATUS_CODE = "http_response.code" ["sc-status", "status_code"];
        /// How it ended.
        STATUS = "status" ["outcome", "success", "res", "errorCode", "Status"];
        /// What was asked of a service.
        OPERATION = "api.operation" ["eventName", "operationName", "Operation", "protoPayload.methodName"];
        /// The text of the event.
        MESSAGE = "message" ["message", "MESSAGE", "Message", "msg"];
    }
}

/// Where JSON events carry their time, the best first.
const TIMES: &[&str] = &[
    "TimeCreated",
    "UtcTime",
    "eventTime",
    "__REALTIME_TIMESTAMP",
    "@timestamp",
    "timestamp",
    "ts",
    "time",
    "Timestamp",
    "EventTime",
    "SystemTime",
    "TimeGenerated",
    "EventReceivedTime",
    "_time",
    "published",
    "CreationTime",
    "datetime",
    "date",
    "created_at",
];

impl Record<'_> {
    /// The time that the sender claims.
    pub fn claimed(&self, guess: &Guess) -> Option<Claimed> {
        if let Some(stamp) = &self.stamp {
            return time::parse(stamp, guess);
        }
        TIMES.iter().find_map(|name| {
            let value = self.fields.get(name)?;
            let claimed = time::parse(value.text(&mut String::new())?, guess)?;
            // Sysmon's UtcTime says its zone by its name.
            Some(Claimed { guessed_zone: claimed.guessed_zone && *name != "UtcTime", ..claimed })
        })
    }

    /// The value of a promoted column; fields that only mark an absence do not count.
    pub fn column(&self, column: Column) -> Option<String> {
        if column == column::HOST && self.format == Format::Auditd {
            // What audit records call hostname is where somebody came from.
            return self.fields.text("node").map(str::to_owned);
        }
        let told = |name: &&str| {
            let text = self.fields.get(name).map(Value::to_text)?;
            let empty = matches!(text.as_str(), "" | "-" | "?" | "(null)" | "unset" | "::" | "N/A");
            (!empty).then_some(text)
        };
        column.fields.iter().find_map(told)
    }
}
