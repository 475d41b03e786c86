//! `norouter port ls`: lists the ports of a host on which programs listen.

use std::fmt::Write as _;

use super::{
    error::{Error, Exit},
    figures::table_of_used,
    output,
    reach::{WhichNetwork, host_name, wait_for},
};
use crate::{
    text::escape,
    view::{OpenPortView, OpenPortsView},
};

/// List the ports of a host on which programs listen, and those that the manifest publishes
///
/// The host's agent makes the list. Unless it runs as root, it may see only the programs of its own user.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    network: WhichNetwork,
    /// The host, by name, alias or VIP
    #[arg(value_name = "HOST", value_hint = clap::ValueHint::Other)]
    host: String,
    /// Write everything as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let open = wait_for(async {
        let client = args.network.client().await?;
        let host = host_name(&client, Some(&args.host)).await?;
        Ok::<_, Error>(client.open_ports(&host.unwrap_or_default()).await?)
    })?;
    if args.json {
        output::json(&serde_json::to_value(&open).unwrap_or_default())?;
    } else {
        output::data(&text(&open))?;
    }
    Ok(Exit::Ok)
}

fn text(open: &OpenPortsView) -> String {
    if open.ports.is_empty() {
        return "no program listens there\n".to_owned();
    }
    let titles = [">PORT", "ADDRESS", "PROGRAM", ">PROCESS", "PUBLISHED"];
    let rows = open.ports.iter().map(row).collect();
    let mut text = table_of_used(&titles, &["PROGRAM", ">PROCESS", "PUBLISHED"], rows).join("\n");
    text.push('\n');
    if open.more > 0 {
        let _ = writeln!(text, "{} more are not shown", open.more);
    }
    text
}

fn row(port: &OpenPortView) -> Vec<String> {
    let address = port
        .address
        .rsplit_once(':')
        .map_or("", |(address, _)| address);
    vec![
        port.port.to_string(),
        match address {
            "0.0.0.0" | "[::]" => "all".to_owned(),
            address => address.to_owned(),
        },
        port.program.as_deref().map(escape).unwrap_or_default(),
        port.process
            .map(|process| process.to_string())
            .unwrap_or_default(),
        port.published
            .map(|port| format!("as {port}"))
            .unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_ports_are_a_table_of_what_is_known() {
        let port = |address: &str, program: Option<&str>, published| OpenPortView {
            address: address.to_owned(),
            port: address.rsplit_once(':').unwrap().1.parse().unwrap(),
            program: program.map(str::to_owned),
            process: program.map(|_| 412),
            published,
        };
        let open = OpenPortsView {
            ports: vec![
                port("0.0.0.0:22", None, None),
                port("127.0.0.1:3000", Some("node"), Some(80)),
            ],
            more: 2,
        };
        assert_eq!(
            text(&open),
            "PORT  ADDRESS    PROGRAM  PROCESS  PUBLISHED\n\
             \x20 22  all\n\
             3000  127.0.0.1  node         412  as 80\n\
             2 more are not shown\n"
        );
        let none = OpenPortsView {
            ports: Vec::new(),
            more: 0,
        };
        assert_eq!(text(&none), "no program listens there\n");
    }
}
