//! The hello of two desks in one thread: what one writes the other reads, until both are through.

use symbolon_protocol::{Context, Established, Handshake, ProtocolError, Transmit};

/// Both sessions; the clocks are those of client and server, in Unix seconds.
pub(crate) fn session(
    client: Context,
    server: Context,
    clocks: (u64, u64),
) -> Result<(Established, Established), ProtocolError> {
    let mut a = Handshake::client(client, [1; 32], clocks.0, 0);
    let mut b = Handshake::server(server, [2; 32], clocks.1, 0);
    loop {
        let (there, back) = (a.poll_transmit(), b.poll_transmit());
        if there.is_none() && back.is_none() {
            break;
        }
        match there {
            Some(Transmit::Bytes(bytes)) => b.handle_bytes(&bytes, 0),
            Some(Transmit::Finish) => b.handle_end(0),
            None => {}
        }
        match back {
            Some(Transmit::Bytes(bytes)) => a.handle_bytes(&bytes, 0),
            Some(Transmit::Finish) => a.handle_end(0),
            None => {}
        }
    }
    Ok((a.poll_outcome().unwrap()?, b.poll_outcome().unwrap()?))
}
