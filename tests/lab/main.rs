//! The product on real hosts: OpenSSH servers, containers, network namespaces, and real clients. Needs root and a
//! machine made for it; `cargo xtask lab` runs it.

mod sandbox;

mod transports;
