//! Prints what can be determined about a topology before it is deployed.

#![expect(clippy::print_stdout, reason = "a program that is meant to be watched")]

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (now, next) = (routing::now()?, routing::next()?);
    println!("# Properties of virtual host 'shop'\n");
    for (claim, counterexample) in routing::properties(&now) {
        match counterexample {
            None => println!("holds: {claim}"),
            Some(shown) => println!("FAILS: {claim}\n{shown}"),
        }
    }
    println!("\n# What the next version changes\n");
    for host in ["shop", "back-office"] {
        println!("virtual host '{host}':\n{}", routing::diff(&now, &next, host));
    }
    println!("# What is wrong in virtual host 'shop'\n\n{}", routing::lint(&now));
    Ok(())
}
