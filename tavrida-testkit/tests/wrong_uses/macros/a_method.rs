//! A scenario that is a method.
//!
//~ a scenario takes the simulation, and nothing else: write `async fn it_holds(sim: Sim)`

struct Shop;

impl Shop {
    #[tavrida_testkit::test]
    async fn it_holds(&self) {}
}
