//! Who may do what with notices.

use garrison_notices::Notices;
use garrison_testkit::policies::{Exception, check, exceptions};

const TABLE: &str = "
delivery:list    administrator analyst auditor operator
delivery:look    sys_notices
delivery:queue   sys_follower
delivery:settle  sys_notices
";

#[test]
fn every_operation_is_for_those_whom_the_table_names() {
    check(garrison_notices::module(&Notices::default()), TABLE);
}

#[test]
fn nobody_queues_or_settles_by_hand() {
    let lines = ["delivery:queue", "delivery:settle", "delivery:look"].map(|verb| Exception {
        says: "what is told, and what came of it, no person says",
        actor: "person",
        roles: &["administrator", "analyst", "auditor", "operator"],
        verb,
        object: "tenant",
        own: false,
        allowed: false,
    });
    exceptions(garrison_notices::module(&Notices::default()), &lines);
}
