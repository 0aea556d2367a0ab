//! An HTTP server on the loopback interface that serves the page and rebuilds it when the data changes.
//!
//! The server has two resources: `/`, the page, and `/version`, which the page polls every two seconds. It accepts GET and
//! HEAD, reads no body, closes each connection after one response, and rejects other host names with 421, to prevent DNS
//! rebinding. It needs no HTTP crate: `hyper` would need its server feature and an asynchronous runtime here.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use cli_support::{Messages, human};

use crate::html::page::Delivery;
use crate::run::{Config, Page, build};
use crate::version::version;

/// Interval between checks of the data set for changes.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Read and write timeout of a connection.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of a request line with headers, in bytes.
const MAX_HEAD_BYTES: usize = 8 << 10;
/// Maximum number of concurrent connections; further ones are closed.
const MAX_CONNECTIONS: usize = 64;

/// A server bound to its port.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    site: Arc<Site>,
}

/// The state shared by all connections.
#[derive(Debug)]
struct Site {
    config: Config,
    page: RwLock<Arc<Page>>,
    connections: AtomicUsize,
    port: u16,
}

impl Server {
    /// Builds the page and binds the port; 0 picks a free port.
    ///
    /// # Errors
    ///
    /// Fails if the page can't be built or the port is in use.
    pub fn start(config: &Config, port: u16) -> Result<Self> {
        let page = build(config, Delivery::Served)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("cannot serve on port {port}; name another --port"))?;
        let address = listener.local_addr().context("the server has no address")?;
        let site = Site {
            config: config.clone(),
            page: RwLock::new(Arc::new(page)),
            connections: AtomicUsize::new(0),
            port: address.port(),
        };
        Ok(Self { listener, address, site: Arc::new(site) })
    }

    /// Returns the URL of the page.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    ///
    /// Fails if the thread that watches the data set can't be started.
    pub fn run(self, messages: &Messages) -> Result<()> {
        thread::scope(|scope| {
            let watch = || self.site.watch(messages);
            thread::Builder::new()
                .spawn_scoped(scope, watch)
                .context("cannot start the thread that watches the data set")?;
            for connection in self.listener.incoming() {
                let Ok(connection) = connection else { continue };
                let site = Arc::clone(&self.site);
                // If no thread can be started, the connection is closed and the page retries.
                let _ = thread::Builder::new().spawn(move || site.handle(connection));
            }
            Ok(())
        })
    }
}

impl Site {
    fn page(&self) -> Arc<Page> {
        Arc::clone(&self.page.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Rebuilds the page whenever the version of the data set changes. After a failure the old page is kept and the error is
    /// reported once per version.
    fn watch(&self, messages: &Messages) {
        let mut failed_at = None;
        loop {
            thread::sleep(POLL_INTERVAL);
            let Ok(found) = version(&self.config.data) else { continue };
            if found == self.page().version || failed_at.as_ref() == Some(&found) {
                continue;
            }
            match build(&self.config, Delivery::Served) {
                Ok(page) => {
                    messages.note(format!("dashboard: now shows {}", human::counted(page.tickets, "ticket")));
                    *self.page.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(page);
                    failed_at = None;
                }
                Err(error) => {
                    messages.warn(format!("cannot rebuild the page, the old one is kept: {error:#}"));
                    failed_at = Some(found);
                }
            }
        }
    }

    fn handle(&self, connection: TcpStream) {
        if self.connections.fetch_add(1, Ordering::SeqCst) < MAX_CONNECTIONS {
            // Errors mean that the client closed the connection.
            let _ = self.respond(connection);
        }
        self.connections.fetch_sub(1, Ordering::SeqCst);
    }

    fn respond(&self, mut connection: TcpStream) -> io::Result<()> {
        connection.set_read_timeout(Some(TIMEOUT))?;
        connection.set_write_timeout(Some(TIMEOUT))?;
        let Some(head) = read_head(&mut connection)? else { return Ok(()) };
        let page = self.page();
        let (status, kind, body) = self.resource(&head, &page);
        let security = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n\
                        Cross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer";
        let length = body.len();
        write!(
            connection,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {length}\r\n{security}\r\n\
             Connection: close\r\n\r\n"
        )?;
        if !head.starts_with("HEAD ") {
            connection.write_all(body.as_bytes())?;
        }
        connection.flush()
    }

    /// Returns status, content type and body for a request head.
    fn resource<'p>(&self, head: &str, page: &'p Page) -> (&'static str, &'static str, &'p str) {
        let plain = "text/plain";
        let mut words = head.lines().next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return ("400 Bad Request", plain, "Malformed request.\n");
        };
        if !self.is_local_host(head) {
            return ("421 Misdirected Request", plain, "The host must be 127.0.0.1 or localhost.\n");
        }
        if !matches!(method, "GET" | "HEAD") {
            return ("405 Method Not Allowed", plain, "Only GET and HEAD are allowed.\n");
        }
        match target.split('?').next() {
            Some("/") => ("200 OK", "text/html", &page.html),
            Some("/version") => ("200 OK", plain, &page.version),
            _ => ("404 Not Found", plain, "Not found; the page is at /.\n"),
        }
    }

    fn is_local_host(&self, head: &str) -> bool {
        let hosts: Vec<&str> = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
            .map(|(_, value)| value.trim())
            .collect();
        let [host] = hosts[..] else { return false };
        ["127.0.0.1", "localhost"].iter().any(|name| host == format!("{name}:{}", self.port))
    }
}

/// Reads the request line and the headers; `None` if the head is incomplete, too long or not UTF-8.
fn read_head(connection: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while head.len() < MAX_HEAD_BYTES {
        let n = connection.read(&mut buffer)?;
        if n == 0 {
            return Ok(None);
        }
        head.extend_from_slice(&buffer[..n]);
        if let Some(end) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            head.truncate(end);
            return Ok(String::from_utf8(head).ok());
        }
    }
    Ok(None)
}
