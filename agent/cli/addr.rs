//! `norouter addr`: prints the address under which programs of this machine reach a service.

use super::{
    error::{Error, Exit},
    output,
    reach::{self, Service, WhichNetwork, wait_for},
};
use crate::{
    destination::{Destination, Pasted},
    driver::control::Client,
    text::escape,
    view::{HostView, Snapshot},
};

/// Print the address under which programs of this machine reach a host
///
/// With the address, a program needs no proxy and does not have to look up the host's name: psql -h "$(norouter addr
/// db1)". With a port, prints ADDRESS:PORT, and fails if the host does not publish that port.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The host, by name, alias or VIP, perhaps with a port that it publishes; or a URL
    #[arg(value_name = "NAME[:PORT]", value_hint = clap::ValueHint::Other, value_parser = reach::pasted)]
    service: Pasted,
    #[command(flatten)]
    network: WhichNetwork,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    wait_for(async {
        let client = args.network.client().await?;
        let snapshot = client.network().await?.snapshot;
        let Service { host, port } = by_address(&client, &snapshot, &args.service).await?;
        note_state(host);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        output::data(&format!("{}{port}\n", host.vip))?;
        Ok(Exit::Ok)
    })
}

/// The service that a person has pasted, if programs of this machine reach it at its address.
pub(super) async fn by_address<'a>(
    client: &Client,
    snapshot: &'a Snapshot,
    pasted: &Pasted,
) -> Result<Service<'a>, Error> {
    let Some(service) = reach::service(snapshot, pasted)? else {
        let (Pasted::Host(host) | Pasted::Whole(Destination { host, .. })) = pasted;
        let message = format!("{host} is not a host of this network, which has no address for it");
        let hint = "only hosts of the network have one; \"norouter connect\" and the proxies lead to everything else";
        return Err(Error::new(Exit::Failure, message).hint(hint));
    };
    reach::listens_here(&client.plan().await?, snapshot, client.name(), service)?;
    Ok(service)
}

/// Tells the person if a host cannot be reached at the moment.
pub(super) fn note_state(host: &HostView) {
    if host.state.is_up() {
        return;
    }
    let (name, state) = (escape(&host.name), host.state.word());
    output::talk(&format!(
        "note: {name} cannot be reached now ({state}); \"norouter why {name}\" says more"
    ));
}
