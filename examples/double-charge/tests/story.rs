//! The shop, when nothing goes wrong and when it does.

use double_charge::scenario::{first_try, repaired};
use tavrida_testkit::sim::{Setup, Verdict};

#[test]
fn when_nothing_goes_wrong_both_charge_once() {
    assert_eq!(Setup::new(1).run(first_try).verdict, Verdict::Passed);
    assert_eq!(Setup::new(1).run(repaired).verdict, Verdict::Passed);
}
