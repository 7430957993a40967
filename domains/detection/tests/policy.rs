//! Who may do what with alerts.

use garrison_testkit::policies::{Exception, check, exceptions};

const TABLE: &str = "
alert:acknowledge  administrator analyst
alert:assign       administrator analyst
alert:close        administrator analyst
alert:list         administrator analyst auditor operator
alert:raise        sys_detection sys_follower
alert:reopen       administrator analyst
alert:show         administrator analyst auditor operator
detection:look     sys_detection
rule:list          administrator analyst auditor operator
rule:show          administrator analyst auditor operator
rule:test          administrator analyst auditor operator
";

const SUPERVISES: Exception = Exception {
    says: "who supervises a part does not decide its alerts, whatever else they hold",
    actor: "person",
    roles: &["analyst", "supervision"],
    verb: "alert:close",
    object: "alert",
    own: false,
    allowed: false,
};

#[test]
fn every_operation_is_for_those_whom_the_table_names() {
    check(garrison_detection::module(), TABLE);
}

#[test]
fn supervision_reviews_and_never_executes() {
    let forbidden = ["alert:acknowledge", "alert:assign", "alert:close", "alert:reopen"];
    let lines = forbidden.map(|verb| Exception { verb, ..SUPERVISES });
    exceptions(garrison_detection::module(), &lines);
    let sees = Exception { says: "an analyst sees", verb: "alert:show", allowed: true, ..SUPERVISES };
    exceptions(garrison_detection::module(), &[sees]);
}

#[test]
fn nobody_but_garrison_itself_raises() {
    let roles: &[&str] = &["administrator", "analyst", "auditor", "operator"];
    let lines = ["alert:raise", "detection:look"].map(|verb| Exception {
        says: "raising is for Garrison itself, whatever somebody holds",
        roles,
        verb,
        object: "tenant",
        ..SUPERVISES
    });
    exceptions(garrison_detection::module(), &lines);
}
