//! Who may do what with logs.

use garrison_testkit::policies::check;

const TABLE: &str = "
log:compact      sys_logs
log:describe     administrator analyst auditor operator owner viewer
log:keep         sys_logs
log:search       administrator analyst auditor
log:send         sender sys_logs
search:delete    administrator analyst auditor
search:list      administrator analyst auditor
search:save      administrator analyst auditor
source:change    administrator
source:create    administrator sys_logs
source:disable   administrator
source:enable    administrator
source:list      administrator analyst auditor operator owner sys_logs viewer
";

#[test]
fn every_operation_is_for_those_whom_the_table_names() {
    check(garrison_logs::module(), TABLE);
}
