//! HTTP clients of nodes, gateways and model servers.

use reqwest::{Client, ClientBuilder, NoProxy, Proxy};

/// Hosts of this machine, in the syntax of `NO_PROXY`.
const LOOPBACK: &str = "localhost,localhost.,127.0.0.0/8,::1,::ffff:127.0.0.0/104";

/// Returns a builder of HTTP clients that use the proxies of `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and
/// their exceptions in `NO_PROXY`, in upper or lower case, except for hosts of this machine:
/// `localhost`, `127.0.0.0/8` and `::1` are connected to directly.
///
/// A variable that is not the URL of a proxy is ignored, as other HTTP clients do.
pub fn client_builder() -> ClientBuilder {
    with_proxies(|name| std::env::var(name).ok())
}

fn with_proxies(variable: impl Fn(&str) -> Option<String>) -> ClientBuilder {
    let first = |name: &str| {
        let value = variable(name).or_else(|| variable(&name.to_lowercase()));
        value.filter(|value| !value.is_empty())
    };
    let exceptions = first("NO_PROXY").map(|hosts| format!("{hosts},{LOOPBACK}"));
    let exceptions = NoProxy::from_string(exceptions.as_deref().unwrap_or(LOOPBACK));
    // A client's header `Proxy:` becomes HTTP_PROXY in a CGI process.
    let is_cgi = variable("REQUEST_METHOD").is_some();
    let proxies = [
        first("HTTP_PROXY").filter(|_| !is_cgi).map(Proxy::http),
        first("HTTPS_PROXY").map(Proxy::https),
        first("ALL_PROXY").map(Proxy::all),
    ];
    proxies.into_iter().flatten().flatten().fold(Client::builder().no_proxy(), |builder, proxy| {
        builder.proxy(proxy.no_proxy(exceptions.clone()))
    })
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{SocketAddr, TcpListener},
    };

    use super::*;

    /// Starts a server that answers every request with `status` on `host`.
    fn server(host: &str, status: u16) -> SocketAddr {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4_096]);
                let answer = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        address
    }

    async fn status(variables: &[(&str, &str)], url: &str) -> u16 {
        let of = |name: &str| variables.iter().find(|(own, _)| *own == name);
        let client = with_proxies(|name| of(name).map(|(_, value)| (*value).to_owned()));
        client.build().unwrap().get(url).send().await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn loopback_never_uses_a_proxy() {
        let (port, proxy) = (server("127.0.0.1", 200).port(), server("127.0.0.1", 403));
        let proxy = format!("http://{proxy}");
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            for host in ["127.0.0.1", "localhost", "LOCALHOST"] {
                let url = format!("http://{host}:{port}/");
                let variables = [(name, proxy.as_str()), ("NO_PROXY", "corp.example")];
                assert_eq!(status(&variables, &url).await, 200, "{name} {url}");
            }
        }
        let other = server("127.9.8.7", 200);
        assert_eq!(status(&[("HTTP_PROXY", &proxy)], &format!("http://{other}/")).await, 200);
        if let Ok(listener) = TcpListener::bind(("::1", 0)) {
            drop(listener);
            let v6 = server("::1", 200);
            assert_eq!(status(&[("HTTP_PROXY", &proxy)], &format!("http://{v6}/")).await, 200);
        }
    }

    #[tokio::test]
    async fn other_hosts_use_the_proxy() {
        let proxy = server("127.0.0.1", 403);
        let proxy = format!("http://{proxy}");
        let url = "http://node.invalid/";
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
            assert_eq!(status(&[(name, &proxy)], url).await, 403, "{name}");
        }
        // A proxy without a scheme is one over HTTP.
        let short = proxy.trim_start_matches("http://");
        assert_eq!(status(&[("http_proxy", short)], url).await, 403);
    }
}
