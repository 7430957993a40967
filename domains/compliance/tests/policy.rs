//! Who may do what with proofs and reviews, and which operations are of high risk.

use std::collections::BTreeSet;

use garrison_compliance::HIGH_RISK;
use garrison_kernel::PolicyTable;
use garrison_notices::Notices;
use garrison_testkit::policies::{Exception, check, exceptions};

const TABLE: &str = "
audit:checkpoint  auditor supervision
audit:prove       auditor supervision
evidence:pack     auditor supervision
review:list       administrator auditor owner supervision
review:look       sys_compliance
review:note       auditor
review:open       sys_compliance
review:overdue    sys_timer
review:show       auditor supervision
review:sign       auditor
";

#[test]
fn every_operation_is_for_those_whom_the_table_names() {
    check(garrison_compliance::module(), TABLE);
}

#[test]
fn reviewing_is_for_persons() {
    let lines = ["review:note", "review:sign"].map(|verb| Exception {
        says: "a service account judges nothing",
        actor: "service",
        roles: &["auditor"],
        verb,
        object: "review",
        own: false,
        allowed: false,
    });
    exceptions(garrison_compliance::module(), &lines);
}

/// Operations whose use is reviewed by samples only.
const OF_OTHERS: &str = "
access:explain account:end-all alert:acknowledge alert:assign alert:close alert:list alert:raise alert:reopen alert:show
approval-rule:list approval:approve approval:expire approval:list approval:reject approval:show approval:take-output
approval:withdraw audit:checkpoint audit:list audit:prove audit:show delivery:list delivery:look delivery:queue
delivery:settle detection:look grant:list group:create group:list group:members hold:create hold:list key:list key:rewrap
key:settle log:compact log:describe log:keep log:resume log:search log:send login:begin login:choose-password login:enrol
login:look login:prove node:create node:find node:history node:list node:rename node:show password:change person:list
person:show post:create post:list retention:list review:list review:look review:note review:open review:overdue
review:show review:sign rule:list rule:show rule:test search:delete search:list search:save service:disable service:list session:end session:enter
session:hand-over session:list session:list-of session:renew source:coverage source:create source:enable source:list
token:end token:list tree:export
";

#[test]
fn of_each_operation_it_is_said_whether_it_is_of_high_risk() {
    let modules = [
        garrison_directory::module(),
        garrison_access::module(),
        garrison_detection::module(),
        garrison_logs::module(),
        garrison_notices::module(&Notices::default()),
        garrison_compliance::module(),
    ];
    let policies = PolicyTable::of(&modules).unwrap();
    let all: BTreeSet<&str> = policies.verbs().iter().map(|verb| verb.as_str()).collect();
    let high_risk = BTreeSet::from(HIGH_RISK);
    let others: BTreeSet<&str> = OF_OTHERS.split_whitespace().collect();
    assert!(high_risk.is_disjoint(&others), "both: {:?}", high_risk.intersection(&others));
    let said: BTreeSet<&str> = high_risk.union(&others).copied().collect();
    assert_eq!(
        said, all,
        "a new operation stands in HIGH_RISK, or here; one that is gone stands nowhere any more"
    );
}
