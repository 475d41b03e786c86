//! Tests with a pipe that flips bits in the frames of the agent that runs inside the manager.

use bytes::BytesMut;
use norouter::{
    addr::Vip,
    edge,
    flow::{Capacity, Holder},
    manager, plan,
    time::Instant,
    wire::{CONTROL_MAX_FROM_MANAGER, Decoder, HEADER_LEN, Item},
};

const NETWORK: &str = "
hosts:
  laptop: {vip: 127.0.42.100}
  web: {vip: 127.0.42.101, cmd: run, ports: ['80:127.0.0.1:80']}
";

/// The result of decoding a frame.
fn decoded(frame: &[u8]) -> Option<Item> {
    let mut decoder = Decoder::new(CONTROL_MAX_FROM_MANAGER);
    decoder.poll(&mut BytesMut::from(frame)).unwrap()
}

#[test]
fn each_bit_that_a_pipe_flips_in_a_packet_of_the_laptop_is_noticed() {
    let now = Instant::ZERO;
    let vip = |text: &str| text.parse::<Vip>().unwrap();
    let hosts = [vip("127.0.42.100"), vip("127.0.42.101")];
    let plan = plan::load("network.yaml", NETWORK).plan.unwrap();
    let mut manager = manager::Core::new(&plan, 1);
    manager.start(now);
    let [mut laptop, _web] = hosts.map(|host| {
        manager.handle_spawned(now, host, Ok(()));
        let mut agent = edge::Core::new(1, Capacity::default());
        let mut asked = BytesMut::from(&manager.poll_frame(Instant::ZERO, host).unwrap()[..]);
        agent.handle_bytes(now, &mut asked).unwrap();
        let mut said = BytesMut::new();
        agent.poll_frames(now, &mut said, usize::MAX);
        manager.handle_bytes(now, host, &mut said);
        agent
    });

    let to = hosts[1].socket(80_u16.try_into().unwrap());
    laptop.connect(now, Holder::Owner, to).unwrap();
    let mut sent = BytesMut::new();
    laptop.poll_frames(now, &mut sent, usize::MAX);
    manager.handle_bytes(now, hosts[0], &mut sent);
    let mut piped = std::iter::from_fn(|| manager.poll_frame(Instant::ZERO, hosts[1]));
    let packet = piped.find(|frame| frame[5] == 1).unwrap();

    assert!(matches!(decoded(&packet), Some(Item::Packet(_))));
    for bit in 8 * HEADER_LEN..8 * packet.len() {
        let mut changed = packet.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(decoded(&changed), Some(Item::Damaged), "bit {bit}");
    }
}
