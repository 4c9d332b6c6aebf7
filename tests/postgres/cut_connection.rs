//! A way to the server that is cut at a commit.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::support::TestResult;

/// Where a connection ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cut {
    /// The server never hears of the commit.
    Before,
    /// The server commits, and nobody hears of that.
    After,
}

/// A proxy that cuts the connection at each commit for which it has been told to.
pub(crate) struct CutConnection {
    port: u16,
    cuts: Sender<Cut>,
}

impl CutConnection {
    /// Begins to pass connections on to the server at this address, one at a time.
    pub(crate) fn to(server: &str) -> TestResult<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let (cuts, cutting) = channel();
        let server = server.to_owned();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // The client notices whatever goes wrong.
                TcpStream::connect(&server).and_then(|server| pass(client, server, &cutting)).ok();
            }
        });
        Ok(Self { port, cuts })
    }

    /// The address of the proxy, in place of the server's.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Cuts the connection at the next commit that has not got a cut yet.
    pub(crate) fn cut_next_commit(&self, cut: Cut) -> TestResult {
        Ok(self.cuts.send(cut)?)
    }
}

fn pass(mut client: TcpStream, mut server: TcpStream, cuts: &Receiver<Cut>) -> std::io::Result<()> {
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let answers = thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
    let mut buffer = [0; 1 << 16];
    loop {
        let read = client.read(&mut buffer)?;
        let message = buffer.get(..read).unwrap_or_default();
        let cut = message.ends_with(b"COMMIT\0").then(|| cuts.try_recv().ok()).flatten();
        if let Some(cut) = cut {
            client.shutdown(Shutdown::Both)?;
            if cut == Cut::After {
                server.write_all(message)?;
            }
            // The server ends the session once it has done what it was told.
            server.shutdown(Shutdown::Write)?;
            break;
        }
        if read == 0 {
            server.shutdown(Shutdown::Write)?;
            break;
        }
        server.write_all(message)?;
    }
    drop(answers.join());
    Ok(())
}
