//! Who may do what in the directory.

use garrison_testkit::policies::{Exception, check, exceptions};

const TABLE: &str = "
group:add          administrator
group:create       administrator
group:members      member
group:remove       administrator
group:list         member
node:create        administrator management owner sys_setup
node:find          administrator approver auditor decision execution management operator owner supervision viewer
node:history       administrator approver auditor decision execution management operator owner supervision viewer
node:list          administrator approver auditor decision execution management operator owner supervision viewer
node:mark          administrator management
node:merge         administrator management
node:move          administrator management
node:rename        administrator management owner
node:show          administrator approver auditor decision execution management operator owner supervision viewer
person:change      administrator
person:create      administrator sys_console sys_setup
person:disable     administrator sys_setup
person:enable      administrator sys_console sys_setup
person:list        member
person:show        member
post:create        administrator management
post:fill          administrator management
post:list          administrator approver auditor decision execution management operator owner supervision viewer
post:vacate        administrator management
service:create     administrator
service:disable    administrator
service:enable     administrator
service:hand-over  administrator
service:list       member
tree:apply         administrator management
tree:export        administrator approver auditor decision execution management operator owner supervision viewer
";

const SUPERVISES: Exception = Exception {
    says: "who supervises a part does not shape it, whatever else they hold",
    actor: "person",
    roles: &["administrator", "supervision"],
    verb: "node:create",
    object: "node",
    own: false,
    allowed: false,
};

#[test]
fn every_operation_is_for_those_whom_the_table_names() {
    check(garrison_directory::module(), TABLE);
}

#[test]
fn supervision_reviews_and_never_executes() {
    let forbidden = [
        "node:create",
        "node:rename",
        "node:move",
        "node:merge",
        "node:mark",
        "tree:apply",
        "post:create",
        "post:fill",
        "post:vacate",
        "person:create",
        "person:change",
        "person:disable",
        "person:enable",
        "service:create",
        "service:disable",
        "service:enable",
        "service:hand-over",
        "group:create",
        "group:add",
        "group:remove",
    ];
    let lines = forbidden.map(|verb| Exception { verb, ..SUPERVISES });
    exceptions(garrison_directory::module(), &lines);
    let sees = Exception { says: "who supervises sees", verb: "node:list", allowed: true, ..SUPERVISES };
    exceptions(garrison_directory::module(), &[sees]);
}

#[test]
fn nobody_may_change_what_is_their_own_for_that_alone() {
    let lines = ["person:change", "person:enable", "service:create", "group:add"].map(|verb| Exception {
        says: "being one's own is not enough",
        roles: &[],
        verb,
        own: true,
        ..SUPERVISES
    });
    exceptions(garrison_directory::module(), &lines);
}
