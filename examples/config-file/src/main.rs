//! Runs the example on a broker in this process, or with `--amqp URI` on RabbitMQ.

#[tokio::main]
async fn main() -> example_support::Result<()> {
    config_file::app(example_support::broker_of_arguments()?).await?;
    Ok(())
}
