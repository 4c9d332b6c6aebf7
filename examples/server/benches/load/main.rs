//! How long a page takes while many clients record, and how many entries a second they record:
//! `cargo bench -p example-server --bench load`.
//!
//! Each client records one entry after another on a connection of its own, and one more reads the newest page again
//! and again. With `-- --beside PATH`, the program at that path, such as an older server, takes turns with this one,
//! and the ratios compare them: only these are steady on a busy machine. `-- --seconds N` replaces the seconds of each
//! measurement, and `-- --clients N` the numbers of clients that record.

mod client;
mod measured;
mod server;

use std::env;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use client::Client;
use measured::Measured;
use server::Server;

type BenchResult<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const SECONDS: u64 = 3;
const ROUNDS: usize = 3;
const POSTERS: [usize; 3] = [1, 64, 256];
const PATH: &str = "/api/v1/activity-log";

fn main() -> BenchResult {
    let arguments = env::args().collect::<Vec<_>>();
    let argument = |name| arguments.iter().skip_while(|argument| *argument != name).nth(1);
    let seconds = argument("--seconds").map(|seconds| seconds.parse()).transpose()?.unwrap_or(SECONDS);
    let time = Duration::from_secs(seconds);
    let clients = argument("--clients").map(|clients| clients.parse()).transpose()?;
    let numbers = clients.map_or_else(|| POSTERS.to_vec(), |clients| vec![clients]);
    let programs = [Some(env!("CARGO_BIN_EXE_example-server")), argument("--beside").map(String::as_str)];

    println!("{ROUNDS} rounds of {time:?}");
    println!("{:<24} {}", "", measured::HEADING);
    for posters in numbers {
        let mut all = programs.map(|program| program.map(|program| (program, Measured::default())));
        for _ in 0..ROUNDS {
            for (program, measured) in all.iter_mut().flatten() {
                measured.add(measure(program, posters, time)?);
            }
        }
        let [this, beside] = all.map(|measured| measured.map(|(_, measured)| measured));
        if let Some(this) = &this {
            println!("{:<24} {this}", format!("{posters} clients record"));
        }
        if let (Some(this), Some(beside)) = (this, beside) {
            println!("{:<24} {beside}", "  the other program");
            println!("{:<24} {}", "  ratio", this.beside(&beside));
        }
    }
    Ok(())
}

/// Starts the program on a log of its own and measures it.
fn measure(program: &str, posters: usize, time: Duration) -> BenchResult<Measured> {
    let server = Server::start(program)?;
    let posters = (0..posters).map(|_| Client::connect(&server.address)).collect::<BenchResult<Vec<_>>>()?;
    let mut reader = Client::connect(&server.address)?;
    let stop = &AtomicBool::new(false);
    thread::scope(|scope| {
        let began = Instant::now();
        let posting = posters.into_iter().map(|mut client| {
            scope.spawn(move || {
                let mut waits = Vec::new();
                let mut failed = 0;
                while !stop.load(Ordering::Relaxed) {
                    let (status, wait) = client.post(PATH, &entry())?;
                    if status == 201 { waits.push(wait) } else { failed += 1 }
                }
                BenchResult::Ok((waits, failed))
            })
        });
        let posting = posting.collect::<Vec<_>>();
        let reading = scope.spawn(move || {
            let mut waits = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                waits.push(client_read(&mut reader)?);
                // Without a pause it would measure how it competes with itself.
                thread::sleep(Duration::from_millis(1));
            }
            BenchResult::Ok(waits)
        });
        thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        let time = began.elapsed();

        let mut measured = Measured { time, ..Measured::default() };
        for thread in posting {
            let (waits, failed) = thread.join().map_err(|_| "a client panicked")??;
            measured.posts.extend(waits);
            measured.failed += failed;
        }
        measured.lists = reading.join().map_err(|_| "the reader panicked")??;
        Ok(measured)
    })
}

fn client_read(reader: &mut Client) -> BenchResult<Duration> {
    match reader.get(&format!("{PATH}?limit=50"))? {
        (200, wait) => Ok(wait),
        (status, _) => Err(format!("a page has status {status}").into()),
    }
}

fn entry() -> String {
    r#"{"category": "device", "action": "device.updated", "actor": "alice", "entity_type": "device",
        "entity_id": "dev_7", "message": "Renamed the lamp", "metadata": {"previous": {"name": "Lamp"}}}"#
        .to_owned()
}
