//! Who may do what with logs.

use garrison_testkit::policies::check;

const TABLE: &str = "
backup:create    sys_console
backup:forget    sys_console
backup:restore   sys_console
hold:create      administrator
hold:end         administrator
hold:list        administrator auditor
key:destroy      administrator owner
key:list         administrator auditor owner
key:rewrap       sys_logs
key:rotate       administrator
key:rotate-root  sys_console
key:settle       sys_logs
log:compact      sys_logs
log:describe     administrator analyst auditor operator owner viewer
log:expire       sys_logs
log:keep         sys_logs
log:resume       sys_logs
log:search       administrator analyst auditor
log:send         sender sys_logs
retention:list   administrator analyst auditor operator owner viewer
retention:set    administrator
search:delete    administrator analyst auditor
search:list      administrator analyst auditor
search:save      administrator analyst auditor
source:change    administrator
source:coverage  administrator analyst auditor operator owner viewer
source:create    administrator sys_logs
source:disable   administrator
source:enable    administrator
source:list      administrator analyst auditor operator owner sys_logs viewer
stream:classify  administrator
";

#[test]
fn every_operation_is_for_those_whom_the_table_names() {
    check(garrison_logs::module(), TABLE);
}
