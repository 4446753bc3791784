//! The floor: a bare hyper reverse proxy that forwards everything and records nothing.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Result;
use hyper::{Request, Response, Uri, body::Incoming, header, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;

type Forward = Client<HttpConnector, Incoming>;

/// Forwards from `listener` to `upstream` until the process ends.
pub async fn serve(listener: TcpListener, upstream: SocketAddr) -> Result<()> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Arc<Forward> = Arc::new(Client::builder(TokioExecutor::new()).build(connector));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let client = Arc::clone(&client);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let client = Arc::clone(&client);
                async move { forward(&client, upstream, request).await }
            });
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
        });
    }
}

async fn forward(client: &Forward, upstream: SocketAddr, mut request: Request<Incoming>) -> Result<Response<Incoming>> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = format!("http://{upstream}{path}").parse::<Uri>()?;
    request.headers_mut().remove(header::HOST);
    Ok(client.request(request).await?)
}
