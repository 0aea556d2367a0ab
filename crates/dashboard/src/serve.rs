//! Serves the page on this machine's loopback, and makes it anew when the data changes.
//!
//! The server knows two resources: `/`, the page, and `/version`, which the page asks every two seconds. It takes GET and HEAD,
//! reads no body, closes each connection after one answer, and refuses what was addressed to another host name, so that no
//! foreign web site can read the page by pointing its own name at this machine.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use cli_support::{Messages, human};

use crate::page::Shown;
use crate::run::{Config, Page, build};
use crate::version::version;

/// How often the data set is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a request may take to arrive, and an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the head of a request may be.
const MAX_HEAD_BYTES: usize = 8 << 10;
/// How many connections are served at once; others are closed.
const MAX_CONNECTIONS: usize = 64;

/// A server that has its port.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    site: Arc<Site>,
}

/// What is served.
#[derive(Debug)]
struct Site {
    config: Config,
    page: RwLock<Arc<Page>>,
    connections: AtomicUsize,
    port: u16,
}

impl Server {
    /// Makes the page and takes the port; 0 is any free one.
    pub fn start(config: &Config, port: u16) -> Result<Self> {
        let page = build(config, Shown::Served)?;
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

    /// Where the page is.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves until the process ends.
    pub fn run(self, messages: &Messages) -> Result<()> {
        thread::scope(|scope| {
            let watch = || self.site.watch(messages);
            thread::Builder::new().spawn_scoped(scope, watch).context("cannot start what looks for new data")?;
            for connection in self.listener.incoming() {
                let Ok(connection) = connection else { continue };
                let site = Arc::clone(&self.site);
                // Without a thread the connection is closed, and the page asks again.
                let _ = thread::Builder::new().spawn(move || site.attend(connection));
            }
            Ok(())
        })
    }
}

impl Site {
    fn page(&self) -> Arc<Page> {
        Arc::clone(&self.page.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the page anew whenever the data set is another. What can't be read stays as it was shown, and is said once.
    fn watch(&self, messages: &Messages) {
        let mut failed_at = None;
        loop {
            thread::sleep(LOOK_EVERY);
            let Ok(found) = version(&self.config.data) else { continue };
            if found == self.page().version || failed_at.as_ref() == Some(&found) {
                continue;
            }
            match build(&self.config, Shown::Served) {
                Ok(page) => {
                    messages.note(format!("dashboard: now shows {}", human::counted(page.tickets, "ticket")));
                    *self.page.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(page);
                    failed_at = None;
                }
                Err(error) => {
                    messages.warn(format!("the page stays as it was: {error:#}"));
                    failed_at = Some(found);
                }
            }
        }
    }

    fn attend(&self, connection: TcpStream) {
        if self.connections.fetch_add(1, Ordering::SeqCst) < MAX_CONNECTIONS {
            // Whoever went away doesn't need an answer.
            let _ = self.answer(connection);
        }
        self.connections.fetch_sub(1, Ordering::SeqCst);
    }

    fn answer(&self, mut connection: TcpStream) -> io::Result<()> {
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.set_write_timeout(Some(PATIENCE))?;
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

    /// Status, type and text for the request with this head.
    fn resource<'p>(&self, head: &str, page: &'p Page) -> (&'static str, &'static str, &'p str) {
        let plain = "text/plain";
        let mut words = head.lines().next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return ("400 Bad Request", plain, "This is not a request.\n");
        };
        if !self.is_for_us(head) {
            return ("421 Misdirected Request", plain, "This server answers to 127.0.0.1 and localhost alone.\n");
        }
        if !matches!(method, "GET" | "HEAD") {
            return ("405 Method Not Allowed", plain, "There is nothing to change here.\n");
        }
        match target.split('?').next() {
            Some("/") => ("200 OK", "text/html", &page.html),
            Some("/version") => ("200 OK", plain, &page.version),
            _ => ("404 Not Found", plain, "There is only one page, at /.\n"),
        }
    }

    fn is_for_us(&self, head: &str) -> bool {
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

/// The request line and the headers, if all of them arrive.
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
