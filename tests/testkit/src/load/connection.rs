use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// HTTP/1.1 connection that sends prepared requests and parses only the necessary parts of
/// responses. A client library would use more processor time than either server.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to a server.
    ///
    /// # Errors
    /// Fails if the server is not reachable.
    pub async fn to(server: SocketAddr) -> io::Result<Self> {
        Self::between(Ipv4Addr::UNSPECIFIED, server).await
    }

    /// Connects to a server from an address of this machine.
    ///
    /// # Errors
    /// Fails if the server is not reachable.
    pub async fn between(client: Ipv4Addr, server: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((client, 0)))?;
        let stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4_096) })
    }

    /// Sends a whole request and reads the whole answer; returns its status.
    ///
    /// # Errors
    /// Fails if the connection breaks or the answer is not HTTP.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut missing = None;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if missing.is_none() {
                missing = length(&self.buffer);
            }
            if missing.is_some_and(|length| self.buffer.len() >= length) {
                return status(&self.buffer).ok_or(io::ErrorKind::InvalidData.into());
            }
        }
    }

    /// Returns the last response.
    pub fn answer(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }
}

/// Returns the length of the response, after its head has arrived.
fn length(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let lines = std::str::from_utf8(&buffer[..head]).ok()?.split("\r\n");
    let mut lengths = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    Some(head + lengths.next().unwrap_or(0))
}

/// `HTTP/1.1 200 ...`
fn status(buffer: &[u8]) -> Option<u16> {
    std::str::from_utf8(buffer.get(9..12)?).ok()?.parse().ok()
}
