//! A live test that does not name its variable.
//!
//~ name the variable of the environment that has RabbitMQ's address: `live = "AMQP_URL"`

use tavrida_testkit::sim::Sim;

#[tavrida_testkit::test(live = true)]
async fn it_holds(sim: Sim) {}
