//! The part of a Gram matrix that one of several processes computes.

use std::str::FromStr;

use ekernel_gram::Shard;

/// A part by its number, or the one of this task of a Slurm job array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShardChoice {
    Part(Shard),
    Slurm,
}

impl FromStr for ShardChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<ShardChoice, String> {
        if text == "auto" { Ok(ShardChoice::Slurm) } else { text.parse().map(ShardChoice::Part) }
    }
}

impl ShardChoice {
    /// The part; `variable` reads the environment.
    pub(crate) fn shard(self, variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
        match self {
            ShardChoice::Part(shard) => Ok(shard),
            ShardChoice::Slurm => of_slurm(variable),
        }
    }
}

/// The tasks of `--array=MIN-MAX:STEP` in order. Slurm gives a task of a list, such as
/// `--array=3,7`, no way to find the number of all shards.
fn of_slurm(variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let number = |name: &str| match variable(name) {
        None => Ok(None),
        Some(text) => match text.parse::<usize>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(format!("{name} is \"{text}\", which is no number")),
        },
    };
    let needed = |name: &str| {
        number(name)?.ok_or_else(|| {
            format!("{name} is not set, so this is no task of a Slurm job array; give I/N, for example 3/16")
        })
    };
    let (id, count) = (needed("SLURM_ARRAY_TASK_ID")?, needed("SLURM_ARRAY_TASK_COUNT")?);
    let min = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(1);
    let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
    let max = number("SLURM_ARRAY_TASK_MAX")?.unwrap_or(min + step * count.saturating_sub(1));
    let regular =
        id >= min && (id - min).is_multiple_of(step) && max >= min && (max - min) / step + 1 == count;
    let shard = if regular { Shard::new((id - min) / step + 1, count) } else { None };
    shard.ok_or_else(|| {
        format!(
            "task {id} of the {count} of the job array {min}-{max}:{step} has no shard of its own, as the array is no \
             regular range; give the number of shards: --shard $SLURM_ARRAY_TASK_ID/N"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Shard, String> {
        ShardChoice::Slurm.shard(|name| {
            let found = variables.iter().find(|(of, _)| name == format!("SLURM_ARRAY_TASK_{of}"));
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_shard_of_a_slurm_task() {
        for (variables, due) in [
            (vec![("ID", "3"), ("COUNT", "16")], "3/16"),
            (vec![("ID", "0"), ("COUNT", "16"), ("MIN", "0"), ("MAX", "15"), ("STEP", "1")], "1/16"),
            (vec![("ID", "15"), ("COUNT", "16"), ("MIN", "0"), ("MAX", "15"), ("STEP", "1")], "16/16"),
            (vec![("ID", "9"), ("COUNT", "4"), ("MIN", "5"), ("MAX", "11"), ("STEP", "2")], "3/4"),
            // --array=5-12:2 has the tasks 5, 7, 9 and 11.
            (vec![("ID", "11"), ("COUNT", "4"), ("MIN", "5"), ("MAX", "12"), ("STEP", "2")], "4/4"),
        ] {
            assert_eq!(of(&variables), due.parse(), "{variables:?}");
        }
        for (variables, word) in [
            (vec![], "SLURM_ARRAY_TASK_ID is not set"),
            (vec![("ID", "3")], "SLURM_ARRAY_TASK_COUNT is not set"),
            (vec![("ID", "three"), ("COUNT", "4")], "no number"),
            (vec![("ID", "0"), ("COUNT", "4")], "no shard of its own"),
            (vec![("ID", "5"), ("COUNT", "4")], "no shard of its own"),
            // --array=3,7
            (
                vec![("ID", "7"), ("COUNT", "2"), ("MIN", "3"), ("MAX", "7"), ("STEP", "1")],
                "$SLURM_ARRAY_TASK_ID/N",
            ),
        ] {
            assert!(of(&variables).unwrap_err().contains(word), "{variables:?}");
        }
    }

    #[test]
    fn words_of_shards() {
        assert_eq!("auto".parse(), Ok(ShardChoice::Slurm));
        assert_eq!("3/16".parse(), Ok(ShardChoice::Part(Shard::new(3, 16).unwrap())));
        assert!("3".parse::<ShardChoice>().unwrap_err().contains("3/16"));
    }
}
