//! Tavrida over RabbitMQ: the [`Transport`](tavrida::transport::Transport) for production, on lapin.
