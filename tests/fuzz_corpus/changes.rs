//! Inputs made from seeds: bytes and words changed, parts removed, doubled and exchanged between seeds.

/// Words that readers of text and of numbers stumble over.
const WORDS: [&[u8]; 18] = [
    b"0",
    b"-1",
    b"1",
    b"7",
    b"255",
    b"65536",
    b"4294967295",
    b"9223372036854775807",
    b"18446744073709551616",
    b"1e-30",
    b"1e300",
    b"nan",
    b"inf",
    b"[]",
    b"\"\"",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0\0\0\0\x80",
    b"\n[[layers]]\nop = \"relu\"\n",
];

pub(crate) struct Changes<'a> {
    seeds: &'a [Vec<u8>],
    /// Of SplitMix64.
    state: u64,
}

impl<'a> Changes<'a> {
    pub(crate) fn new(seeds: &'a [Vec<u8>]) -> Self {
        assert!(!seeds.is_empty());
        Self { seeds, state: 0x00e6_5c0f_f3e5 }
    }

    /// The next input.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut input = self.seed().clone();
        for _ in 0..1 + self.below(4) {
            self.change(&mut input);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let end = at + self.below((input.len() - at).min(64) + 1);
        match self.below(8) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.below(256) as u8,
            2 => input.truncate(at),
            3 => drop(input.drain(at..end)),
            4 => {
                let part = input[at..end].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, part);
            }
            5 => {
                let other = self.seed();
                let begin = self.below(other.len() + 1);
                let part = other[begin..(begin + end - at).min(other.len())].to_vec();
                input.splice(at..end, part);
            }
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                let (begin, end) = self.number(input).unwrap_or((at, end));
                input.splice(begin..end, word.iter().copied());
            }
        }
    }

    /// The digits that follow a place drawn at random.
    fn number(&mut self, input: &[u8]) -> Option<(usize, usize)> {
        let from = self.below(input.len() + 1);
        let begin = from + input[from..].iter().position(u8::is_ascii_digit)?;
        let digits = input[begin..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        Some((begin, begin + digits))
    }

    fn seed(&mut self) -> &'a Vec<u8> {
        let index = self.below(self.seeds.len());
        &self.seeds[index]
    }

    fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}
