//! Runs the example on a broker in this process, or with `--amqp URI` on RabbitMQ.

#[tokio::main]
async fn main() -> tavrida::prelude::Result<()> {
    discovery_file::app(example_support::broker_of_arguments()?).await?;
    Ok(())
}
