//! What the programs of a Linux host say by syslog.

use garrison_base::Fields;

use crate::record::Kind;
use crate::template::{self, Template};

/// Adds the fields of a program's message; answers what it tells of.
pub(crate) fn decode<'t>(program: &str, message: &'t str, fields: &mut Fields<'t>) -> Kind {
    let name = program.rsplit('/').next().unwrap_or(program);
    // rsyslog tells of repetitions so; what was repeated counts.
    if let Some((_, repeated)) =
        message.strip_prefix("message repeated ").and_then(|text| text.split_once(" times: [ "))
        && let Some(repeated) = repeated.strip_suffix(']')
    {
        return decode(program, repeated, fields);
    }
    if message.starts_with("pam_") && pam(message, fields) {
        return match name {
            "passwd" | "chpasswd" => Kind::Accounts,
            _ => Kind::Pam,
        };
    }
    match name {
        "sshd" | "sshd-session" | "sshd-auth" => {
            template::apply(SSHD, message, fields);
            Kind::Sshd
        }
        "sudo" => {
            sudo(message, fields);
            Kind::Sudo
        }
        "su" => {
            template::apply(SU, message, fields);
            Kind::Su
        }
        "cron" | "CRON" | "crond" | "CROND" | "crontab" | "anacron" => {
            cron(message, fields);
            Kind::Cron
        }
        "useradd" | "usermod" | "userdel" | "groupadd" | "groupmod" | "groupdel" | "passwd" | "chpasswd"
        | "gpasswd" | "chage" | "chfn" | "chsh" | "adduser" => {
            template::apply(ACCOUNTS, message, fields);
            Kind::Accounts
        }
        "kernel" if firewall(message, fields) => Kind::Firewall,
        "kernel" => Kind::Kernel,
        _ => Kind::Syslog,
    }
}

const fn template(text: &'static str, means: &'static [(&'static str, &'static str)]) -> Template {
    Template { text, means }
}

const FAILED: &[(&str, &str)] = &[("action", "login"), ("outcome", "failure")];

/// OpenSSH `auth.c`, `auth2.c`, `packet.c`; portable 9.
const SSHD: &[Template] = &[
    template(
        "Failed {method} for invalid user {user*} from {src_ip} port {src_port}",
        &[("action", "login"), ("outcome", "failure"), ("invalid_user", "true")],
    ),
    template("Failed {method} for {user*} from {src_ip} port {src_port}", FAILED),
    template(
        "Accepted {method} for {user*} from {src_ip} port {src_port}",
        &[("action", "login"), ("outcome", "success")],
    ),
    template(
        "Invalid user {user*} from {src_ip} port {src_port}",
        &[("action", "login"), ("outcome", "failure"), ("invalid_user", "true"), ("reason", "invalid user")],
    ),
    template(
        "Postponed {method} for {user*} from {src_ip} port {src_port}",
        &[("action", "login"), ("outcome", "pending")],
    ),
    template(
        "error: maximum authentication attempts exceeded for invalid user {user*} from {src_ip} port {src_port}",
        &[
            ("action", "login"),
            ("outcome", "failure"),
            ("invalid_user", "true"),
            ("reason", "maximum authentication attempts exceeded"),
        ],
    ),
    template(
        "error: maximum authentication attempts exceeded for {user*} from {src_ip} port {src_port}",
        &[
            ("action", "login"),
            ("outcome", "failure"),
            ("reason", "maximum authentication attempts exceeded"),
        ],
    ),
    template(
        "maximum authentication attempts exceeded for {user*} from {src_ip} port {src_port}",
        &[
            ("action", "login"),
            ("outcome", "failure"),
            ("reason", "maximum authentication attempts exceeded"),
        ],
    ),
    template(
        "User {user*} from {src_ip} not allowed because not listed in AllowUsers",
        &[("action", "login"), ("outcome", "failure"), ("reason", "not listed in AllowUsers")],
    ),
    template(
        "User {user*} from {src_ip} not allowed because {reason>}",
        &[("action", "login"), ("outcome", "failure")],
    ),
    template(
        "ROOT LOGIN REFUSED FROM {src_ip} port {src_port}",
        &[("action", "login"), ("outcome", "failure"), ("user", "root"), ("reason", "root login refused")],
    ),
    template(
        "PAM: Authentication failure for illegal user {user*} from {src_ip}",
        &[("action", "login"), ("outcome", "failure"), ("invalid_user", "true")],
    ),
    template(
        "error: PAM: Authentication failure for illegal user {user*} from {src_ip}",
        &[("action", "login"), ("outcome", "failure"), ("invalid_user", "true")],
    ),
    template("error: PAM: Authentication failure for {user*} from {src_ip}", FAILED),
    template(
        "Invalid user {user*} from {src_ip}",
        &[("action", "login"), ("outcome", "failure"), ("invalid_user", "true"), ("reason", "invalid user")],
    ),
    template(
        "Disconnected from authenticating user {user*} {src_ip} port {src_port}",
        &[("action", "disconnect")],
    ),
    template("Disconnected from invalid user {user*} {src_ip} port {src_port}", &[("action", "disconnect")]),
    template("Disconnected from user {user*} {src_ip} port {src_port}", &[("action", "disconnect")]),
    template(
        "Connection closed by authenticating user {user*} {src_ip} port {src_port}",
        &[("action", "disconnect")],
    ),
    template(
        "Connection closed by invalid user {user*} {src_ip} port {src_port}",
        &[("action", "disconnect")],
    ),
    template("Connection closed by {src_ip} port {src_port}", &[("action", "disconnect")]),
    template(
        "Connection reset by authenticating user {user*} {src_ip} port {src_port}",
        &[("action", "disconnect")],
    ),
    template(
        "Connection reset by invalid user {user*} {src_ip} port {src_port}",
        &[("action", "disconnect")],
    ),
    template("Connection reset by {src_ip} port {src_port}", &[("action", "disconnect")]),
    template(
        "Disconnecting authenticating user {user*} {src_ip} port {src_port}",
        &[("action", "disconnect")],
    ),
    template("Disconnecting invalid user {user*} {src_ip} port {src_port}", &[("action", "disconnect")]),
    template("Disconnected from {src_ip} port {src_port}", &[("action", "disconnect")]),
    template("Received disconnect from {src_ip} port {src_port}", &[("action", "disconnect")]),
    template("Connection from {src_ip} port {src_port}", &[("action", "connect")]),
    template("Did not receive identification string from {src_ip} port {src_port}", &[("action", "scan")]),
    template("Did not receive identification string from {src_ip}", &[("action", "scan")]),
    template("Bad protocol version identification {_*} from {src_ip} port {src_port}", &[("action", "scan")]),
    template("Unable to negotiate with {src_ip} port {src_port}: {reason>}", &[("action", "scan")]),
    template("banner exchange: Connection from {src_ip} port {src_port}", &[("action", "scan")]),
    template("Timeout before authentication for connection from {src_ip} to", &[("action", "scan")]),
    template("Timeout before authentication for {src_ip} port {src_port}", &[("action", "scan")]),
    template("fatal: Timeout before authentication for {src_ip} port {src_port}", &[("action", "scan")]),
    template("drop connection {_} from [{src_ip}]:{src_port}", &[("action", "refused")]),
];

const SU: &[Template] = &[
    template("(to {target_user}) {user} on {tty}", &[("action", "su"), ("outcome", "success")]),
    template("FAILED SU (to {target_user}) {user} on {tty}", &[("action", "su"), ("outcome", "failure")]),
    template("Successful su for {target_user} by {user}", &[("action", "su"), ("outcome", "success")]),
    template("FAILED su for {target_user} by {user}", &[("action", "su"), ("outcome", "failure")]),
    template("+ {tty} {user}:{target_user}", &[("action", "su"), ("outcome", "success")]),
    template("- {tty} {user}:{target_user}", &[("action", "su"), ("outcome", "failure")]),
];

/// cron's own log (`log_it` in vixie cron and cronie): `(user) EVENT (detail)`.
const CRON: &[Template] = &[
    template("({user}) CMD ({command>}", &[("action", "command")]),
    template("({user}) CMDOUT ({output>}", &[("action", "output")]),
    template("({user}) CMDEND ({command>}", &[("action", "command_end")]),
    template("({user}) BEGIN EDIT ({_})", &[("action", "edit")]),
    template("({user}) END EDIT ({_})", &[("action", "edit_end")]),
    template("({user}) REPLACE ({target_user})", &[("action", "replace")]),
    template("({user}) DELETE ({target_user})", &[("action", "delete")]),
    template("({user}) LIST ({target_user})", &[("action", "list")]),
    template("({user}) RELOAD ({file})", &[("action", "reload")]),
    template("({user}) AUTH ({reason>}", &[("action", "refused")]),
];

/// The shadow suite.
const ACCOUNTS: &[Template] = &[
    template(
        "new user: name={user}, UID={uid}, GID={gid}, home={home}, shell={shell}",
        &[("action", "user_added")],
    ),
    template("new group: name={group}, GID={gid}", &[("action", "group_added")]),
    template("group added to /etc/group: name={group}, GID={gid}", &[("action", "group_added")]),
    template("add '{user}' to group '{group}'", &[("action", "group_member_added")]),
    template("add '{user}' to shadow group '{group}'", &[("action", "group_member_added")]),
    template("user {user} added by {by} to group {group}", &[("action", "group_member_added")]),
    template("user {user} removed by {by} from group {group}", &[("action", "group_member_removed")]),
    template("delete '{user}' from group '{group}'", &[("action", "group_member_removed")]),
    template("delete user '{user}'", &[("action", "user_deleted")]),
    template("password changed for {user}", &[("action", "password_changed")]),
    template("change user '{user}' password", &[("action", "password_changed")]),
    template(
        "change user '{user}' UID from '{old}' to '{uid}'",
        &[("action", "user_changed"), ("attribute", "uid")],
    ),
    template(
        "change user '{user}' shell from '{old}' to '{shell}'",
        &[("action", "user_changed"), ("attribute", "shell")],
    ),
    template("change user '{user}' {attribute}", &[("action", "user_changed")]),
    template(
        "changed user '{user}' shell to '{shell}'",
        &[("action", "user_changed"), ("attribute", "shell")],
    ),
    template(
        "change user name '{user}' to '{new_user}'",
        &[("action", "user_changed"), ("attribute", "name")],
    ),
    template("password for '{user}' changed by '{by}'", &[("action", "password_changed")]),
    template("changed password expiry for {user}", &[("action", "user_changed"), ("attribute", "expiry")]),
    template(
        "changed user '{user}' information",
        &[("action", "user_changed"), ("attribute", "information")],
    ),
    template("members of group {group} set by {by} to {user}", &[("action", "group_member_added")]),
    template("group added to /etc/gshadow: name={group}", &[("action", "group_added")]),
    template("group '{group}' removed", &[("action", "group_removed")]),
    template("failed adding user '{user}'", &[("action", "user_added"), ("outcome", "failure")]),
    template("lock user '{user}' password", &[("action", "user_changed"), ("attribute", "lock")]),
    template("unlock user '{user}' password", &[("action", "user_changed"), ("attribute", "unlock")]),
];

const PAM: &[Template] = &[
    template("password changed for {user}", &[("action", "password_changed")]),
    template("session opened for user {user}({_}) by {by}(", &[("action", "session_opened")]),
    template("session opened for user {user}(", &[("action", "session_opened")]),
    template("session opened for user {user} by", &[("action", "session_opened")]),
    template("session closed for user {user}", &[("action", "session_closed")]),
    template("authentication failure; {pairs>}", &[("action", "login"), ("outcome", "failure")]),
    template("auth could not identify password for [{user}]", &[("action", "login"), ("outcome", "failure")]),
];

/// `pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)`
fn pam<'t>(message: &'t str, fields: &mut Fields<'t>) -> bool {
    let Some((head, text)) = message.split_once("): ") else { return false };
    let Some((module, place)) = head.split_once('(') else { return false };
    let (service, phase) = place.split_once(':').unwrap_or((place, ""));
    fields.push("pam_module", module);
    fields.push("pam_service", service);
    fields.push("pam_type", phase);
    let mut found = Fields::default();
    template::apply(PAM, text, &mut found);
    let pairs = found.text("pairs").is_some();
    for (name, value) in found.iter().filter(|(name, _)| *name != "pairs") {
        fields.push(name.to_owned(), value.clone());
    }
    if pairs {
        // logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.24  user=root
        for (name, value) in text.split([' ', ';']).filter_map(|pair| pair.split_once('=')) {
            let name = if name == "rhost" { "src_ip" } else { name };
            if !value.is_empty() {
                fields.push(name, value);
            }
        }
    }
    true
}

/// `alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/id`
fn sudo<'t>(message: &'t str, fields: &mut Fields<'t>) {
    let Some((user, rest)) = message.trim_start().split_once(" : ") else { return };
    fields.push("user", user.trim());
    fields.push("action", "sudo");
    // A long command goes on in further lines.
    if let Some(command) = rest.strip_prefix("(command continued) ") {
        fields.push("command", command);
        return;
    }
    let mut rest = Some(rest);
    let mut outcome = "success";
    while let Some(text) = rest {
        // The command comes last and may hold anything.
        if let Some(command) = text.strip_prefix("COMMAND=") {
            fields.push("command", command);
            disguised(command, fields);
            break;
        }
        let (part, after) = text.split_once(" ; ").map_or((text, None), |(part, after)| (part, Some(after)));
        match part.split_once('=') {
            Some(("TTY", tty)) => fields.push("tty", tty),
            Some(("PWD", cwd)) => fields.push("cwd", cwd),
            Some(("USER", target)) => fields.push("target_user", target),
            Some(("GROUP", group)) => fields.push("group", group),
            Some(_) => {}
            None => {
                outcome = "failure";
                fields.push("reason", part);
            }
        }
        rest = after;
    }
    fields.push("outcome", outcome);
}

/// A working directory may be named so that what follows reads as user and command. Where the line has
/// these twice, nobody can tell which are real, so all of them count.
fn disguised<'t>(command: &'t str, fields: &mut Fields<'t>) {
    for (place, _) in command.match_indices(" ; USER=") {
        let Some((user, rest)) = command.get(place + 8..).and_then(|text| text.split_once(" ; COMMAND="))
        else {
            continue;
        };
        fields.push("target_user", user);
        fields.push("command", rest);
    }
}

fn cron<'t>(message: &'t str, fields: &mut Fields<'t>) {
    let mut found = Fields::default();
    template::apply(CRON, message, &mut found);
    for (name, value) in found.iter() {
        let text = value.to_text();
        // The closing parenthesis belongs to cron, not to the command.
        let text = text
            .strip_suffix(')')
            .filter(|_| matches!(name, "command" | "output" | "reason"))
            .unwrap_or(&text);
        fields.push(name.to_owned(), text.to_owned());
    }
}

/// Netfilter's LOG target: `[UFW BLOCK] IN=eth0 OUT= SRC=203.0.113.24 DST=10.20.0.5 PROTO=TCP SPT=1 DPT=22 SYN`.
fn firewall<'t>(message: &'t str, fields: &mut Fields<'t>) -> bool {
    let Some(start) = message.find("IN=") else { return false };
    if !message.contains("SRC=") || !message.contains("OUT=") {
        return false;
    }
    let prefix = message.get(..start).unwrap_or_default().to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| prefix.contains(word));
    let action = if has(&["BLOCK", "DROP", "REJECT", "DENY", "DENIED"]) {
        "block"
    } else if has(&["ALLOW", "ACCEPT", "PASS"]) {
        "allow"
    } else if has(&["AUDIT"]) {
        "audit"
    } else {
        "log"
    };
    fields.push("action", action);
    fields.push("blocked", if action == "block" { "true" } else { "false" });
    for (name, value) in
        message.split(' ').filter_map(|pair| pair.split_once('=')).filter(|(_, value)| !value.is_empty())
    {
        let name = match name {
            "SRC" => "src_ip",
            "DST" => "dst_ip",
            "SPT" => "src_port",
            "DPT" => "dst_port",
            "PROTO" => "proto",
            "IN" => "in",
            "OUT" => "out",
            "MAC" => "mac",
            "LEN" => "length",
            "TTL" => "ttl",
            _ => continue,
        };
        fields.push(name, value);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(program: &str, message: &str) -> String {
        let mut fields = Fields::default();
        let kind = decode(program, message, &mut fields);
        let pairs: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", value.to_text())).collect();
        format!("{kind}: {}", pairs.join(" "))
    }

    #[test]
    fn sshd() {
        assert_eq!(
            shown("sshd", "Failed password for root from 203.0.113.24 port 55222 ssh2"),
            "sshd: action=login outcome=failure method=password src_port=55222 src_ip=203.0.113.24 user=root"
        );
        assert!(
            shown("sshd", "Accepted publickey for deploy from 2001:db8::1 port 1 ssh2: ED25519 SHA256:x")
                .contains("src_ip=2001:db8::1")
        );
        assert!(shown("sshd", "Invalid user  from 203.0.113.24 port 1").contains("invalid_user=true"));
        assert_eq!(shown("sshd", "Server listening on 0.0.0.0 port 22."), "sshd: ");
    }

    #[test]
    fn repetitions_and_what_older_and_newer_versions_say() {
        assert!(
            shown("sshd", "message repeated 5 times: [ Failed password for root from 192.0.2.1 port 4 ssh2]")
                .contains("user=root")
        );
        assert!(
            shown("sshd", "Received disconnect from 192.0.2.1 port 40000:11: Bye")
                .ends_with("src_port=40000")
        );
        assert!(
            shown("sshd-session", "error: PAM: Authentication failure for illegal user foo from 192.0.2.1")
                .contains("user=foo")
        );
        assert_eq!(shown("CROND", "(root) CMD (x)"), "cron: action=command user=root command=x");
    }

    #[test]
    fn sudo_and_su() {
        assert_eq!(
            shown("sudo", "   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/sh -c a ; b=c"),
            "sudo: user=alice action=sudo tty=pts/0 cwd=/home/alice target_user=root command=/bin/sh -c a ; b=c outcome=success"
        );
        assert!(
            shown("sudo", "eve : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh")
                .contains("reason=user NOT in sudoers")
        );
        assert_eq!(
            shown("su", "FAILED SU (to root) eve on pts/1"),
            "su: action=su outcome=failure target_user=root user=eve tty=pts/1"
        );
    }

    #[test]
    fn a_directory_cannot_hide_the_command() {
        let line =
            "eve : TTY=pts/0 ; PWD=/tmp/a ; USER=bob ; COMMAND=/bin/ls ; USER=root ; COMMAND=/bin/bash";
        assert!(shown("sudo", line).contains("target_user=root command=/bin/bash outcome=success"));
    }

    #[test]
    fn accounts_cron_pam_and_firewall() {
        assert_eq!(
            shown("usermod", "add 'eve' to group 'sudo'"),
            "accounts: action=group_member_added user=eve group=sudo"
        );
        assert!(
            shown("useradd", "new user: name=eve, UID=0, GID=0, home=/root, shell=/bin/sh, from=pts/0")
                .contains("uid=0 gid=0 home=/root shell=/bin/sh")
        );
        assert_eq!(
            shown("CRON", "(root) CMD (curl x | sh)"),
            "cron: action=command user=root command=curl x | sh"
        );
        assert_eq!(
            shown(
                "sshd",
                "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.24  user=root"
            ),
            "pam: pam_module=pam_unix pam_service=sshd pam_type=auth action=login outcome=failure uid=0 euid=0 tty=ssh src_ip=203.0.113.24 user=root"
        );
        assert!(
            shown("passwd", "pam_unix(passwd:chauthtok): password changed for eve").starts_with("accounts:")
        );
        assert_eq!(
            shown(
                "kernel",
                "[1.0] [UFW BLOCK] IN=eth0 OUT= MAC= SRC=1.2.3.4 DST=10.0.0.1 LEN=40 PROTO=TCP SPT=5 DPT=22 SYN"
            ),
            "firewall: action=block blocked=true in=eth0 src_ip=1.2.3.4 dst_ip=10.0.0.1 length=40 proto=TCP src_port=5 dst_port=22"
        );
    }
}
