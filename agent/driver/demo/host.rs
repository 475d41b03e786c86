//! One host of the demo: a process with a web page, in which an agent runs as on any host.

use std::{
    io,
    net::{SocketAddrV4, TcpListener},
};

use super::{
    page::{self, Page},
    peer::Peer,
};
use crate::{
    addr::HostName,
    driver::system::{describe, namespace},
};

/// The parameters of a host of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The name of the host.
    pub name: HostName,
    /// The address at which the host's web page listens.
    pub page: SocketAddrV4,
    /// Whether the host runs in its own network namespace.
    pub apart: bool,
    /// The other hosts that have a page.
    pub peers: Vec<Peer>,
}

impl Host {
    /// Turns this process into the host. After that, an agent can be started in it. This function must be called before
    /// the process has other threads.
    pub fn settle(self) -> Result<(), String> {
        let failed = |what: &str, error: &io::Error| format!("{what}: {}", describe(error));
        if self.apart {
            namespace::enter().map_err(|error| failed("no network of its own", &error))?;
        }
        let listener = TcpListener::bind(self.page)
            .map_err(|error| failed(&format!("the page cannot listen on {}", self.page), &error))?;
        let page = Page {
            name: self.name,
            apart: self.apart,
            peers: self.peers,
        };
        // The page is an ordinary program on this host, independent of the agent. It ends with the process.
        std::thread::Builder::new()
            .name("page".to_owned())
            .spawn(|| page::serve(listener, page))
            .map_err(|error| failed("the page cannot be served", &error))?;
        Ok(())
    }
}

/// Checks whether a host can have a network of its own, by moving this process into one. Fails with the reason if that
/// is not possible.
pub fn probe() -> Result<(), String> {
    namespace::enter().map_err(|error| describe(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_a_name_and_an_address() {
        let peer: Peer = "attic=127.0.42.103:8080".parse().unwrap();
        assert_eq!(peer.name.as_str(), "attic");
        assert_eq!(peer.address.port(), 8080);
        assert!("attic".parse::<Peer>().is_err());
        assert!("<b>=127.0.42.103:8080".parse::<Peer>().is_err());
        assert!("attic=127.0.42.103".parse::<Peer>().is_err());
    }
}
