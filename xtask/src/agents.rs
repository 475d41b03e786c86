//! Builds the agents that are sent to hosts: small static programs, one for each kind of processor, in the folder in
//! which the program looks for them.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::{
    dist::{self, Speed},
    run::{Failure, command, read, run, say, step, target},
    setup,
};

/// A kind of processor for which there is an agent.
struct Processor {
    /// The name of the processor, as in `std::env::consts::ARCH`.
    name: &'static str,
    /// The target of the compiler.
    triple: &'static str,
    /// The emulator that runs programs for this processor on other machines.
    emulator: &'static str,
    /// Whether the lab has hosts with this processor.
    in_lab: bool,
}

const PROCESSORS: &[Processor] = &[
    Processor {
        name: "x86_64",
        triple: setup::MUSL,
        emulator: "qemu-x86_64-static",
        in_lab: true,
    },
    Processor {
        name: "aarch64",
        triple: "aarch64-unknown-linux-musl",
        emulator: "qemu-aarch64-static",
        in_lab: true,
    },
    // ARMv6 with a floating point unit. Every newer processor that can run 32-bit programs runs it as well.
    Processor {
        name: "arm",
        triple: "arm-unknown-linux-musleabihf",
        emulator: "qemu-arm-static",
        in_lab: false,
    },
    Processor {
        name: "riscv64",
        triple: "riscv64gc-unknown-linux-musl",
        emulator: "qemu-riscv64-static",
        in_lab: false,
    },
];

/// The name of the program that has only the agent.
const PROGRAM: &str = "norouter-agent";

/// The maximum size of a packed agent, in bytes.
const MOST_BYTES: u64 = 3_000_000;

/// The folder with the finished agents. It stands beside the program, which looks there.
pub(crate) fn folder() -> PathBuf {
    target().join("dist/agents")
}

/// Builds the agents for all processors, and removes older ones, which must not be mistaken for these.
pub(crate) fn build() -> Result<(), Failure> {
    make_all(PROCESSORS.iter().collect(), Speed::OfProgram)
}

/// Builds the agents that the lab needs, in a fraction of the time.
pub(crate) fn build_for_lab() -> Result<(), Failure> {
    let processors = PROCESSORS.iter().filter(|it| it.in_lab);
    make_all(processors.collect(), Speed::OfBuild)
}

fn make_all(processors: Vec<&Processor>, speed: Speed) -> Result<(), Failure> {
    let triples: Vec<_> = processors.iter().map(|it| it.triple).collect();
    // The last step of a build uses only one core, so building all of them together takes less time.
    step("agents: build", || {
        let words = " --no-default-features --features alone";
        dist::compile(&triples, PROGRAM, words, speed)
    })?;
    let built = step("agents: static, small, alone", || {
        let made = processors.into_iter().map(make);
        made.collect::<Result<Vec<_>, _>>()
    })?;
    for entry in fs::read_dir(folder())? {
        let path = entry?.path();
        if !built.contains(&path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Checks and packs one agent, and returns its path. The file name tells the program everything that it has to know
/// about the agent.
fn make(processor: &Processor) -> Result<PathBuf, Failure> {
    let program = dist::compiled(processor.triple, PROGRAM);
    dist::prove_static(&program)?;
    let version = dist::version_of_the_package()?;
    let told = if processor.name == std::env::consts::ARCH {
        read(command(&program).arg("--version"))?
    } else {
        read(
            command(setup::emulator(processor.emulator)?)
                .arg(&program)
                .arg("--version"),
        )?
    };
    dist::prove_version(&told)?;
    let sum = read(command("sha256sum").arg(&program))?;
    let sum = sum.split(' ').next().unwrap_or_default();
    fs::create_dir_all(folder())?;
    let place = folder().join(format!("linux-{}-{version}-{sum}.gz", processor.name));
    pack(&program, &place)?;
    let bytes = fs::metadata(&place)?.len();
    say(&format!(
        "{}: {} bytes, and packed {bytes} of at most {MOST_BYTES}",
        processor.name,
        fs::metadata(&program)?.len()
    ));
    if bytes > MOST_BYTES {
        return Err(Failure::new(format!(
            "the agent for {} has {bytes} bytes; the budget is {MOST_BYTES}",
            processor.name
        )));
    }
    Ok(place)
}

fn pack(program: &Path, place: &Path) -> Result<(), Failure> {
    run(command("gzip")
        .args(["-9", "-n"])
        .stdin(File::open(program)?)
        .stdout(File::create(place)?))
}

/// The beginning of the file name of each agent, up to its checksum.
pub(crate) fn names() -> Result<Vec<String>, Failure> {
    let version = dist::version_of_the_package()?;
    let names = PROCESSORS.iter().map(|it| it.name);
    Ok(names
        .map(|name| format!("linux-{name}-{version}-"))
        .collect())
}
