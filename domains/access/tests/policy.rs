//! Who may do what with logins, rights, approvals and the record.

use garrison_testkit::policies::{Exception, check, exceptions};

const TABLE: &str = "
access:explain         administrator approver auditor decision execution management operator owner supervision viewer
account:end-all        administrator sys_console sys_follower
account:invite         administrator sys_console
account:invite-first   sys_setup
approval-rule:list     administrator approver auditor decision execution management operator owner supervision viewer
approval-rule:set      administrator
approval:approve       member
approval:expire        sys_timer
approval:list          administrator approver auditor decision execution management operator owner supervision viewer
approval:reject        member
approval:show          administrator approver auditor decision execution management operator owner supervision viewer
approval:take-output
approval:withdraw
audit:list             auditor supervision
audit:show             auditor supervision
grant:create           administrator owner sys_console
grant:end              administrator owner
grant:list             administrator approver auditor decision execution management operator owner supervision viewer
login:begin            sys_login
login:choose-password  sys_login
login:enrol            sys_login
login:look             sys_console sys_login
login:prove            sys_login
password:change
session:end            administrator
session:enter          sys_login
session:hand-over      member
session:list           member
session:list-of        administrator
session:renew          sys_login
token:create
token:end              administrator
token:list             member
";

const PLAIN: Exception = Exception {
    says: "a member does it to its own",
    actor: "person",
    roles: &[],
    verb: "session:end",
    object: "session",
    own: true,
    allowed: true,
};

#[test]
fn every_operation_is_for_those_whom_the_table_names() {
    check(garrison_access::module(), TABLE);
}

#[test]
fn everybody_looks_after_what_is_their_own() {
    let verbs = [
        "password:change",
        "session:end",
        "token:create",
        "token:end",
        "account:end-all",
        "approval:withdraw",
        "approval:take-output",
        "access:explain",
    ];
    for verb in verbs {
        let own = Exception { verb, ..PLAIN };
        let other =
            Exception { says: "a member does not do it to another's", own: false, allowed: false, ..own };
        exceptions(garrison_access::module(), &[own, other]);
    }
}

#[test]
fn only_persons_decide_requests() {
    for verb in ["approval:approve", "approval:reject"] {
        let person =
            Exception { says: "a person may fill a slot", verb, object: "request", own: false, ..PLAIN };
        let service =
            Exception { says: "no service account decides", actor: "service", allowed: false, ..person };
        exceptions(garrison_access::module(), &[person, service]);
    }
}

#[test]
fn only_persons_hand_a_session_over() {
    let person = Exception {
        says: "a person may hand their session over",
        verb: "session:hand-over",
        object: "tenant",
        own: false,
        ..PLAIN
    };
    let service =
        Exception { says: "a service account has none", actor: "service", allowed: false, ..person };
    exceptions(garrison_access::module(), &[person, service]);
}

#[test]
fn administrators_make_tokens_for_service_accounts_only() {
    let service = Exception {
        says: "an administrator makes a token for a service account",
        roles: &["administrator"],
        verb: "token:create",
        object: "service",
        own: false,
        ..PLAIN
    };
    let person =
        Exception { says: "and none for another person", object: "person", allowed: false, ..service };
    exceptions(garrison_access::module(), &[service, person]);
}

#[test]
fn supervision_reviews_and_never_executes() {
    let verbs = [
        "grant:create",
        "grant:end",
        "approval-rule:set",
        "account:invite",
        "approval:approve",
        "approval:reject",
        "token:create",
        "token:end",
        "session:end",
        "account:end-all",
    ];
    for verb in verbs {
        let line = Exception {
            says: "who supervises a part decides nothing in it",
            roles: &["administrator", "owner", "supervision"],
            verb,
            object: "service",
            own: false,
            allowed: false,
            ..PLAIN
        };
        exceptions(garrison_access::module(), &[line]);
    }
    let own = Exception { says: "and ends what is their own", roles: &["supervision"], ..PLAIN };
    exceptions(garrison_access::module(), &[own]);
}
