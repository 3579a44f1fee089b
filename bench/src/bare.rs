//! The floor: HTTP, the whole body, an answer as long as the collector's, and nothing else.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use tokio::net::TcpListener;

use super::Result;

/// Serves until it is ended.
#[tokio::main]
pub async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let routes = Router::new().route("/v1/collect", post(answer));
    axum::serve(listener, routes).await?;
    Ok(())
}

async fn answer(body: Bytes) -> impl IntoResponse {
    let accepted = usize::from(!body.is_empty());
    let text = format!(r#"{{"accepted":{accepted},"rejected":[],"server_time":1790000000000}}"#);
    ([(CONTENT_TYPE, "application/json")], text)
}
