//! HTTP requests for a page of nginx.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    thread,
    time::Instant,
};

use crate::{
    load,
    options::Options,
    sandbox::{Running, Sandbox, command, free_port, wait_for},
    table::Table,
    ways,
};

/// How a client asks.
#[derive(Clone, Copy)]
struct Client {
    /// The address to which it connects.
    address: SocketAddr,
    /// The host and the port of the page. A client of a proxy names them in each request.
    page: SocketAddr,
    is_proxied: bool,
}

pub(super) fn measure(options: &Options) -> Table {
    let sandbox = Sandbox::new();
    let port = free_port();
    let _nginx = nginx(&sandbox, port);
    let direct = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut clients = vec![Client {
        address: direct,
        page: direct,
        is_proxied: false,
    }];
    let mut columns = Vec::new();
    let mut ways = Vec::new();
    for program in &options.programs {
        let proxy = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let lines = format!("    http: {{listen: \"{proxy}\"}}\n");
        let path = [program.path.to_str().unwrap().to_owned()];
        let way = ways::network(&sandbox, program, Some(&path), &path, &lines, port);
        let way = way.opened(|address| TcpStream::connect(address).is_ok());
        let page = way.address().unwrap();
        for (address, is_proxied, what) in [(page, false, "port"), (proxy, true, "proxy")] {
            columns.push(format!("{}, {what}", way.name));
            clients.push(Client {
                address,
                page,
                is_proxied,
            });
        }
        ways.push(way);
    }
    let mut table = Table::new(&["direct"], columns.into_iter(), &["direct"]);
    for round in 1..=options.rounds {
        eprintln!("  round {round} of {}", options.rounds);
        for (column, client) in clients.iter().enumerate() {
            for at_a_time in [1, 8] {
                for (keeps, how) in [(true, "on kept connections"), (false, "on new connections")] {
                    let row = format!("requests {how}, {at_a_time} at a time, 1/s");
                    table.add(&row, column, client.rate(options, at_a_time, keeps));
                }
            }
        }
    }
    table
}

/// Starts a web server with one small page.
fn nginx(sandbox: &Sandbox, port: u16) -> Running {
    sandbox.write("pages/index.html", "x".repeat(200));
    fs::create_dir_all(sandbox.path("nginx")).unwrap();
    let folder = sandbox.path("").display().to_string();
    let config = sandbox.write(
        "nginx.conf",
        format!(
            "daemon off; worker_processes 1; pid {folder}/nginx/pid; error_log stderr; user root;\n\
             events {{ worker_connections 4000; }}\nhttp {{ access_log off; keepalive_requests 1000000;\n\
             client_body_temp_path {folder}/nginx/body; proxy_temp_path {folder}/nginx/proxy;\n\
             fastcgi_temp_path {folder}/nginx/fastcgi; uwsgi_temp_path {folder}/nginx/uwsgi; scgi_temp_path {folder}/nginx/scgi;\n\
             server {{ listen 127.0.0.1:{port}; root {folder}/pages; }} }}\n"
        ),
    );
    let nginx = Running::start("nginx", command(&["nginx", "-c"]).arg(config));
    wait_for("nginx", || {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()
    });
    nginx
}

impl Client {
    /// How many requests per second are answered, on connections that are kept or on a new one for each request.
    fn rate(self, options: &Options, at_a_time: usize, keeps: bool) -> f64 {
        let start = Instant::now();
        let work = || {
            let mut count = 0_u32;
            let mut kept = None;
            while start.elapsed() < options.span {
                let mut stream = kept.take().unwrap_or_else(|| {
                    let stream = TcpStream::connect(self.address).unwrap();
                    stream.set_nodelay(true).unwrap();
                    stream.set_read_timeout(Some(load::PATIENCE)).unwrap();
                    stream.set_write_timeout(Some(load::PATIENCE)).unwrap();
                    BufReader::new(stream)
                });
                self.ask(&mut stream, keeps);
                kept = keeps.then_some(stream);
                count += 1;
            }
            count
        };
        let counts: u32 = thread::scope(|scope| {
            let workers: Vec<_> = (0..at_a_time).map(|_| scope.spawn(work)).collect();
            workers.into_iter().map(|it| it.join().unwrap()).sum()
        });
        f64::from(counts) / start.elapsed().as_secs_f64()
    }

    fn ask(self, stream: &mut BufReader<TcpStream>, keeps: bool) {
        let page = self.page;
        let place = if self.is_proxied {
            format!("http://{page}/")
        } else {
            "/".to_owned()
        };
        let connection = if keeps { "keep-alive" } else { "close" };
        let head =
            format!("GET {place} HTTP/1.1\r\nHost: {page}\r\nConnection: {connection}\r\n\r\n");
        stream.get_mut().write_all(head.as_bytes()).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            assert!(stream.read_line(&mut line).unwrap() > 0, "no whole answer");
            if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        assert_eq!(length, 200, "another page came");
    }
}
