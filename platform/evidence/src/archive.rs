//! A ZIP file that can be written in one way only (APPNOTE.TXT 6.3.10, section 4.3): parts as they are, in a fixed order,
//! without dates, comments and further fields.
//!
//! Nothing is packed, so nothing can swell; nothing is unpacked to a disk, so names are compared and never followed. Every
//! byte is either a part's or follows from the parts, so that no two programs can read two different packs in one file.

use flate2::Crc;

use crate::Refused;

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";

/// Bytes of what stands before a part's name.
const HEAD: usize = 30;

/// Writes the parts, each with its name.
pub(crate) fn write(parts: &[(&str, &[u8])]) -> Result<Vec<u8>, Refused> {
    let mut file: Vec<u8> = Vec::new();
    for (name, part) in parts {
        file.extend(head(name, part)?);
        file.extend(name.as_bytes());
        file.extend(*part);
    }
    file.extend(directory(parts)?);
    Ok(file)
}

/// The parts of a file that has exactly these, each with the most bytes that it may have.
pub(crate) fn read<'f, const N: usize>(
    file: &'f [u8],
    wanted: &[(&'static str, usize); N],
) -> Result<[&'f [u8]; N], Refused> {
    let mut parts: [&[u8]; N] = [&[]; N];
    let mut rest = file;
    for ((name, most), part) in wanted.iter().zip(&mut parts) {
        (*part, rest) = take(rest, name, *most)?;
    }
    let named: Vec<_> = wanted.iter().map(|(name, _)| *name).zip(parts).collect();
    if rest == directory(&named)? {
        return Ok(parts);
    }
    Err(match split(rest) {
        Some((_, name, _)) => Refused::new(shown(name), "it does not belong to a pack"),
        None => Refused::new("the end of the file", "the list of its parts is not the one that a pack has"),
    })
}

/// A part that must come next, and what is behind it.
fn take<'f>(rest: &'f [u8], wanted: &str, most: usize) -> Result<(&'f [u8], &'f [u8]), Refused> {
    let refused = |what: &str| Refused::new(wanted, what);
    let Some((found, name, behind)) = split(rest) else {
        return Err(refused("it is missing, or the file is not a pack"));
    };
    if name != wanted.as_bytes() {
        return Err(Refused::new(shown(name), format!("it stands in the place of {wanted}")));
    }
    let length = length(found).unwrap_or(usize::MAX);
    if length > most {
        return Err(refused(&format!("it has {length} bytes, and may have {most}")));
    }
    let Some((part, behind)) = behind.split_at_checked(length) else {
        return Err(refused("the file ends in the middle of it"));
    };
    if found != head(wanted, part)? {
        return Err(refused("it was changed: it does not fit its checksum, or stands there in another form"));
    }
    Ok((part, behind))
}

/// What stands before a part's name, the name, and what is behind it.
fn split(rest: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (head, behind) = rest.split_at_checked(HEAD)?;
    let name_length: &[u8; 2] = head.get(26..)?.first_chunk()?;
    let (name, behind) = behind.split_at_checked(u16::from_le_bytes(*name_length).into())?;
    head.starts_with(&LOCAL).then_some((head, name, behind))
}

/// How long a part says to be.
fn length(head: &[u8]) -> Option<usize> {
    let length: &[u8; 4] = head.get(22..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*length)).ok()
}

fn head(name: &str, part: &[u8]) -> Result<Vec<u8>, Refused> {
    Ok([LOCAL.as_slice(), &facts(name, part)?].concat())
}

/// What both heads of a part say of it.
fn facts(name: &str, part: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut crc = Crc::new();
    crc.update(part);
    let length = number(part.len())?;
    let mut facts: Vec<u8> = Vec::with_capacity(HEAD);
    // Readable since version 1.0, no flags, not packed, and the first day that the form knows: the time of a pack stands in
    // its manifest.
    facts.extend([10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
    facts.extend(crc.sum().to_le_bytes());
    facts.extend(length);
    facts.extend(length);
    facts.extend(short(name.len())?);
    facts.extend([0, 0]);
    Ok(facts)
}

/// The list of the parts, at the end of the file.
fn directory(parts: &[(&str, &[u8])]) -> Result<Vec<u8>, Refused> {
    let mut directory: Vec<u8> = Vec::new();
    let mut place = 0;
    for (name, part) in parts {
        directory.extend(CENTRAL);
        directory.extend([20, 0]);
        directory.extend(facts(name, part)?);
        // No comment, no second disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(number(place)?);
        directory.extend(name.as_bytes());
        place += HEAD + name.len() + part.len();
    }
    let (count, length) = (short(parts.len())?, number(directory.len())?);
    directory.extend(END);
    directory.extend([0; 4]);
    directory.extend(count);
    directory.extend(count);
    directory.extend(length);
    directory.extend(number(place)?);
    directory.extend([0; 2]);
    Ok(directory)
}

fn number(number: usize) -> Result<[u8; 4], Refused> {
    let fits =
        u32::try_from(number).map_err(|_| Refused::new("the pack", "it is longer than a ZIP file can be"));
    fits.map(u32::to_le_bytes)
}

fn short(number: usize) -> Result<[u8; 2], Refused> {
    let fits =
        u16::try_from(number).map_err(|_| Refused::new("the pack", "it has too many parts, or long names"));
    fits.map(u16::to_le_bytes)
}

/// A name of a stranger's, for a message.
fn shown(name: &[u8]) -> String {
    let name: String = String::from_utf8_lossy(name).chars().take(100).collect();
    format!("{name:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: [(&str, usize); 2] = [("a", 3), ("b", 3)];

    fn refused(parts: &[(&str, &[u8])]) -> String {
        read(&write(parts).unwrap(), &WANTED).unwrap_err().place
    }

    #[test]
    fn a_file_is_what_the_form_says() {
        let file = write(&[("a", b"xyz")]).unwrap();
        // CRC-32 of `xyz` is eb8eba67.
        let head = b"PK\x03\x04\x0a\0\0\0\0\0\0\0\x21\0\x67\xba\x8e\xeb\x03\0\0\0\x03\0\0\0\x01\0\0\0axyz";
        assert!(file.starts_with(head), "{file:x?}");
        let end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x2f\0\0\0\x22\0\0\0\0\0";
        assert!(file.ends_with(end), "{file:x?}");
        assert_eq!(file.len(), head.len() + 47 + end.len());
    }

    #[test]
    fn parts_are_read_as_they_were_written_and_only_in_their_order() {
        let file = write(&[("a", b"xyz"), ("b", b"")]).unwrap();
        assert_eq!(read(&file, &WANTED), Ok([b"xyz".as_slice(), b""]));
        assert_eq!(refused(&[]), "a");
        assert_eq!(refused(&[("a", b"")]), "b");
        assert_eq!(refused(&[("b", b""), ("a", b"")]), "\"b\"");
        assert_eq!(refused(&[("a", b""), ("a", b""), ("b", b"")]), "\"a\"");
        assert_eq!(refused(&[("a", b""), ("b", b""), ("b", b"")]), "\"b\"");
        assert_eq!(refused(&[("a", b""), ("b", b""), ("../c\n", b"")]), "\"../c\\n\"");
        assert_eq!(refused(&[("a", b"long"), ("b", b"")]), "a");
    }

    #[test]
    fn nothing_stands_beside_the_parts() {
        let file = write(&[("a", b"xyz"), ("b", b"x")]).unwrap();
        for place in 0..file.len() {
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[place] ^= 1 << bit;
                assert!(read(&changed, &WANTED).is_err(), "bit {bit} of byte {place}");
            }
            assert!(read(&file[..place], &WANTED).is_err(), "{place}");
        }
        assert!(read(&[file.as_slice(), b"\0"].concat(), &WANTED).is_err());
        assert!(read(&[b"\0".as_slice(), &file].concat(), &WANTED).is_err());
    }
}
