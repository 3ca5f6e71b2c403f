//! A regression test as a failure printed it, with the scenario repaired.

use crate::planted::mended::a_cancel_finds_its_order;

#[test]
fn a_test_on_a_schedule_that_failed() {
    tavrida_testkit::replay(
        "seed:0x6 request/a1.pass@deliver:6441a297c5a212c1#1:passed(1)",
        a_cancel_finds_its_order,
    );
}
