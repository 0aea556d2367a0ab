//! S3 server for `uploads.py`: s3s over one of two stores, with the operations that `deploy` needs and s3s doesn't support.
//!
//!     uploads-server sink BUCKET...
//!     uploads-server s3s-fs DIR
//!
//! Prints its address, serves until the end of standard input, and prints the received objects: a JSON object from
//! `bucket/key` to size and CRC-64/NVME (empty for s3s-fs). `TLS_CERTIFICATE` and `TLS_KEY` (DER files) enable TLS;
//! `LATENCY_MS` delays each response.

mod extra_operations;
mod sink;

use std::env;
use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::Body;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use sink::Sink;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let sink = Arc::new(Sink::default());
    let mut builder = match arguments.split_first() {
        Some((store, buckets)) if store == "sink" => {
            sink.create_buckets(buckets);
            S3ServiceBuilder::new(sink::Shared(Arc::clone(&sink)))
        }
        Some((store, [dir])) if store == "s3s-fs" => {
            S3ServiceBuilder::new(FileSystem::new(dir).map_err(|error| format!("{error:?}"))?)
        }
        _ => return Err("expected: sink BUCKET... or s3s-fs DIR".into()),
    };
    builder.set_auth(SimpleAuth::from_single(env::var("AWS_ACCESS_KEY_ID")?, env::var("AWS_SECRET_ACCESS_KEY")?));
    builder.set_route(extra_operations::ExtraOperations { account: env::var("AWS_ACCOUNT_ID")? });
    let service = builder.build();
    let tls = tls()?;
    let latency = env::var("LATENCY_MS").map_or(Ok(0), |ms| ms.parse())?;
    let latency = Duration::from_millis(latency);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accept(stream, tls.clone(), service.clone(), latency));
            }
        });
        tokio::io::stdin().read_to_end(&mut Vec::new()).await
    })?;
    println!("{}", sink.report());
    Ok(())
}

fn tls() -> Result<Option<TlsAcceptor>, Box<dyn Error>> {
    let Ok(certificate) = env::var("TLS_CERTIFICATE") else { return Ok(None) };
    let certificate = CertificateDer::from(fs::read(certificate)?);
    let key = PrivateKeyDer::try_from(fs::read(env::var("TLS_KEY")?)?)?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key)?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

async fn accept(stream: TcpStream, tls: Option<TlsAcceptor>, service: S3Service, latency: Duration) {
    // Responses are small; Nagle's algorithm would delay them.
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, service, latency).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => serve(stream, service, latency).await,
            Err(error) => eprintln!("uploads-server: {error}"),
        },
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: S3Service, latency: Duration) {
    let service = service_fn(move |request: Request<Incoming>| {
        let service = service.clone();
        async move {
            let response = service.call(request.map(Body::from)).await;
            if !latency.is_zero() {
                tokio::time::sleep(latency).await;
            }
            response
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new());
    // Fails when the client closes the connection.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}
