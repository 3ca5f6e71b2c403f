//! Random programs. Each is made only from a seed and a number.

mod messages;
mod ops;
mod pools;
mod things;

use fastrand::Rng;
use tavrida_memory::core::{ChannelId, RabbitMq};

use crate::program::{CHANNELS, CONNECTIONS, Mode, Op, Program, Step};
use crate::world::World;
use pools::Flavour;

/// Returns the program of this number among those of a seed, for a version of RabbitMQ.
pub(crate) fn program(version: RabbitMq, seed: u64, number: u64, length: usize) -> Program {
    let mut rng =
        Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd134_2543_de82_ef95));
    let flavour = Flavour::random(&mut rng);
    let modes = std::array::from_fn(|_| match rng.u8(..) {
        ..40 if flavour.transactions => Mode::Transaction,
        ..60 => Mode::Plain,
        _ => Mode::Confirm,
    });
    let world = World::new(version, "/", modes);
    let deep = rng.u8(..) < 200;
    let mut generator = Generator {
        rng,
        flavour,
        world,
        program: Program { modes, steps: Vec::new() },
        bodies: 0,
        due: None,
    };
    if deep {
        generator.prepare();
    }
    // Vetoed steps are drawn again; a world in which no step is possible ends the program.
    for _ in 0..length * 20 {
        if generator.program.steps.len() >= length {
            break;
        }
        let channel = generator.channel();
        if generator.is_time_up() {
            generator.pass_time(channel);
        }
        if deep && generator.flavour.alarms && generator.chance(8) {
            generator.alarm(channel);
            continue;
        }
        let op = if deep { generator.deep(channel) } else { generator.shallow(channel) };
        generator.add(Step { channel, op });
    }
    if generator.due.is_some() {
        generator.pass_time(CONNECTIONS[0].channel(1));
    }
    generator.program
}

/// A growing program, with the world in which it runs.
struct Generator {
    rng: Rng,
    flavour: Flavour,
    world: World,
    program: Program,
    bodies: usize,
    /// After how many steps time passes, because something lives only shortly.
    due: Option<usize>,
}

/// How long something lives that expires in a program, in milliseconds: more than a few steps take.
pub(super) const SHORT_LIFE: i32 = 1500;
/// How much time passes then.
const LONGER: u64 = 2200;

impl Generator {
    fn channel(&mut self) -> ChannelId {
        CONNECTIONS[self.rng.usize(..CONNECTIONS.len())].channel(self.rng.u16(1..=CHANNELS))
    }

    /// Adds a step if it proves something.
    fn add(&mut self, step: Step) {
        if self.world.step(&step).is_some() {
            self.program.steps.push(step);
        }
    }

    /// Returns whether what lives only shortly is to expire now: it must not do so between two other steps.
    fn is_time_up(&mut self) -> bool {
        self.due = self.due.map(|steps| steps.saturating_sub(1));
        self.due == Some(0)
    }

    fn pass_time(&mut self, channel: ChannelId) {
        self.due = None;
        self.add(Step { channel, op: Op::Wait(LONGER) });
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(..from.len())]
    }

    /// Returns `true` this many times of 100.
    fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(..100) < percent
    }

    /// Returns one of several by weight.
    fn weigh<T: Copy>(&mut self, choices: &[(u32, T)]) -> T {
        let sum: u32 = choices.iter().map(|(weight, _)| weight).sum();
        let mut place = self.rng.u32(..sum);
        for (weight, choice) in choices {
            if place < *weight {
                return *choice;
            }
            place -= weight;
        }
        unreachable!("the place is below the sum of the weights")
    }
}
