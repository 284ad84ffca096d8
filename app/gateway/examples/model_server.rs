//! Small model server to run behind a paywall. It renders pictures and writes texts, without any
//! code for payments.
//!
//! ```sh
//! cargo run --release --example model_server -- 127.0.0.1:8789
//! ```

use motif_testkit::model_server::ModelServer;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8789".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("model server at http://{}", listener.local_addr()?);
    axum::serve(listener, ModelServer::default().router()).await
}
