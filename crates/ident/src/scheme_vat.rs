//! Check digits of tax and VAT numbers of European states and of Korea and Poland's companies:
//! arithmetic by shape, no country logic.
//!
//! Implements spec/identifiers.md#schemes. Each answers `None` for a number of another shape.
//! Rules after the European Commission's VIES algorithms and the tax offices' own publications.

use crate::check_digit::{digit, luhn_ascii, mod_11_10, mod_97, verhoeff, weighted};
use crate::scheme_europe::{at, belgian_enterprise, bsn, digits, egn, eik, leading, nif};

/// Austria: U, seven digits, a check digit; places 2, 4 and 6 doubled, plus 4.
pub(crate) fn austria(number: &[u8]) -> Option<bool> {
    let number = number.strip_prefix(b"U").unwrap_or(number);
    let all = digits::<8>(number)?;
    let sum: u32 = all
        .iter()
        .take(7)
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { digit / 5 + digit * 2 % 10 } else { *digit })
        .sum();
    Some((96 - sum) % 10 == at(number, 7))
}

/// Belgium: ten digits that begin with 0 or 1.
pub(crate) fn belgium(number: &[u8]) -> Option<bool> {
    belgian_enterprise(number)
}

/// Bulgaria: nine digits of a company, ten of a person, a foreigner or anyone else.
pub(crate) fn bulgaria(number: &[u8]) -> Option<bool> {
    if number.len() == 9 {
        return eik(number);
    }
    let foreigner = weighted(number, &[21, 19, 17, 13, 11, 9, 7, 3, 1]) % 10 == at(number, 9);
    let other = (11 - weighted(number, &[4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11 == at(number, 9);
    Some(egn(number)? || foreigner || other)
}

/// Cyprus: eight digits and a letter; odd places by table.
pub(crate) fn cyprus(number: &[u8]) -> Option<bool> {
    const ODD: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let (last, body) = number.split_last()?;
    let all = digits::<8>(body)?;
    if !last.is_ascii_uppercase() {
        return None;
    }
    let mut sum = 0;
    for (place, digit) in all.iter().enumerate() {
        let odd = ODD.get(usize::try_from(*digit).ok()?)?;
        sum += if place % 2 == 0 { odd } else { digit };
    }
    Some(sum % 26 == u32::from(last - b'A') && !body.starts_with(b"12"))
}

/// Czechia: eight digits of a company, nine that begin with 6, or a birth number.
pub(crate) fn czechia(number: &[u8]) -> Option<bool> {
    match number.len() {
        8 => {
            digits::<8>(number)?;
            let rest = (11 - weighted(number, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
            Some(if rest == 0 { 1 } else { rest % 10 } == at(number, 7))
        }
        9 if number.starts_with(b"6") => {
            digits::<9>(number)?;
            let rest = weighted(number.get(1..)?, &[8, 7, 6, 5, 4, 3, 2]) % 11;
            Some((8 + 10 - (10 + 11 - rest) % 11) % 10 == at(number, 8))
        }
        _ => birth_number(number),
    }
}

/// Czech and Slovak birth number: ten digits divisible by 11 (or by 11 but for a last digit 0
/// where the rest is 10); nine until 1953, without a check.
pub(crate) fn birth_number(number: &[u8]) -> Option<bool> {
    digits::<10>(number)?;
    Some(leading(number, 9) % 11 % 10 == u64::from(at(number, 9)))
}

/// Germany: nine digits, ISO 7064 mod 11,10.
pub(crate) fn germany(number: &[u8]) -> Option<bool> {
    digits::<9>(number).map(|[first, ..]| first != 0 && mod_11_10(number))
}

/// Denmark: eight digits.
pub(crate) fn denmark(number: &[u8]) -> Option<bool> {
    let [first, ..] = digits::<8>(number)?;
    Some(first != 0 && weighted(number, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11))
}

/// Estonia: nine digits, weights 3-7-1.
pub(crate) fn estonia(number: &[u8]) -> Option<bool> {
    digits::<9>(number)?;
    Some(weighted(number, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10))
}

/// Greece: nine digits, weights 2⁸ to 2.
pub(crate) fn greece(number: &[u8]) -> Option<bool> {
    digits::<9>(number)?;
    let sum = weighted(number, &[256, 128, 64, 32, 16, 8, 4, 2]);
    Some(sum % 11 % 10 == at(number, 8))
}

/// Spain: a person's number, or a company's letter, seven digits and a digit or letter.
pub(crate) fn spain(number: &[u8]) -> Option<bool> {
    nif(number).or_else(|| cif(number))
}

/// Spanish company number: even places summed, odd ones doubled; ten less the last digit, or the
/// letter that stands for it.
pub(crate) fn cif(number: &[u8]) -> Option<bool> {
    let (first, rest) = number.split_first()?;
    let (last, body) = rest.split_last()?;
    let all = digits::<7>(body)?;
    let sum: u32 = all
        .iter()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { digit / 5 + digit * 2 % 10 } else { *digit })
        .sum();
    let check = (10 - sum % 10) % 10;
    let letter = b"JABCDEFGHI".get(usize::try_from(check).ok()?);
    let as_digit = digit(*last) == Some(check);
    let as_letter = letter == Some(last);
    match first {
        b'A' | b'B' | b'E' | b'H' => Some(as_digit),
        b'C' | b'D' | b'F' | b'G' | b'J'..=b'N' | b'P'..=b'S' | b'U'..=b'W' => {
            Some(as_digit || as_letter)
        }
        _ => None,
    }
}

/// Finland: eight digits.
pub(crate) fn finland(number: &[u8]) -> Option<bool> {
    digits::<8>(number)?;
    Some(weighted(number, &[7, 9, 10, 5, 8, 4, 2, 1]).is_multiple_of(11))
}

/// France: two characters over the company's nine digits; of the kinds with a letter only the
/// company's digits are checked.
pub(crate) fn france(number: &[u8]) -> Option<bool> {
    let (key, siren) = number.split_at_checked(2)?;
    digits::<9>(siren)?;
    if !key.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    // Monaco's companies have 000 in front of six digits and no check of their own.
    let company = siren.starts_with(b"000") || luhn_ascii(siren);
    let numeric = key.iter().all(u8::is_ascii_digit);
    let holds = (12 + 3 * (leading(siren, 9) % 97)) % 97 == leading(key, 2);
    Some(company && (!numeric || holds))
}

/// United Kingdom and Northern Ireland: nine digits and three of a branch; modulo 97, since 2010
/// with 42 or 55 added.
pub(crate) fn britain(number: &[u8]) -> Option<bool> {
    match number {
        [b'G', b'D', rest @ ..] => digits::<3>(rest).map(|[first, ..]| first < 5),
        [b'H', b'A', rest @ ..] => digits::<3>(rest).map(|[first, ..]| first >= 5),
        _ => {
            if number.len() == 12 {
                digits::<12>(number)?;
            } else {
                digits::<9>(number)?;
            }
            let sum = weighted(number, &[8, 7, 6, 5, 4, 3, 2, 10, 1]) % 97;
            Some(sum == 0 || (matches!(sum, 42 | 55) && leading(number, 3) >= 100))
        }
    }
}

/// Croatia: eleven digits, ISO 7064 mod 11,10.
pub(crate) fn croatia(number: &[u8]) -> Option<bool> {
    digits::<11>(number).map(|_| mod_11_10(number))
}

/// Hungary: eight digits, weights 9-7-3-1; a company's tax number has three more behind.
pub(crate) fn hungary(number: &[u8]) -> Option<bool> {
    if number.len() == 11 {
        digits::<11>(number)?;
    } else {
        digits::<8>(number)?;
    }
    Some(weighted(number, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10))
}

/// Ireland: seven digits, a letter, perhaps one more; old ones have a letter in place 2.
pub(crate) fn ireland(number: &[u8]) -> Option<bool> {
    const LETTERS: &[u8; 23] = b"WABCDEFGHIJKLMNOPQRSTUV";
    let (body, letters) = number.split_at_checked(7)?;
    let place = |letter: u8| LETTERS.iter().position(|known| *known == letter);
    let (check, second) = match letters {
        [check] => (check, 0),
        [check, second] => {
            (check, u32::try_from(place(*second).or((*second == b'X').then_some(0))?).ok()?)
        }
        _ => return None,
    };
    let [first, place_2, rest @ ..] = body else { return None };
    let sum = if place_2.is_ascii_uppercase() {
        digits::<5>(rest)?;
        weighted(rest, &[7, 6, 5, 4, 3]) + 2 * digit(*first)?
    } else {
        digits::<7>(body)?;
        weighted(body, &[8, 7, 6, 5, 4, 3, 2])
    };
    let holds = |second| {
        let rest = usize::try_from((sum + 9 * second) % 23).ok();
        rest.and_then(|rest| LETTERS.get(rest)) == Some(check)
    };
    // Until 2012 a second W, T or X only said what kind of number it is.
    let plain = matches!(letters, [_, b'W' | b'T' | b'X']) && holds(0);
    check.is_ascii_uppercase().then(|| holds(second) || plain)
}

/// Lithuania: nine digits of a company, twelve of anyone else, 1 in the last place but one.
pub(crate) fn lithuania(number: &[u8]) -> Option<bool> {
    let last = number.len().checked_sub(1)?;
    if last == 8 {
        digits::<9>(number)?;
    } else {
        digits::<12>(number)?;
    }
    let round = |shift: u32| {
        let weights = (0..).map(|place| (place + shift) % 9 + 1);
        let digits = number.iter().take(last);
        digits.zip(weights).map(|(byte, weight)| digit(*byte).unwrap_or(0) * weight).sum::<u32>()
            % 11
    };
    let rest = if round(0) == 10 { round(2) % 10 } else { round(0) };
    Some(at(number, last - 1) == 1 && rest == at(number, last))
}

/// Lithuanian company code: nine digits, as the VAT number without the fixed 1.
pub(crate) fn lithuania_company(number: &[u8]) -> Option<bool> {
    digits::<9>(number)?;
    let mut rest = weighted(number, &[1, 2, 3, 4, 5, 6, 7, 8]) % 11;
    if rest == 10 {
        rest = weighted(number, &[3, 4, 5, 6, 7, 8, 9, 1]) % 11 % 10;
    }
    Some(rest == at(number, 8))
}

/// Luxembourg: six digits modulo 89.
pub(crate) fn luxembourg(number: &[u8]) -> Option<bool> {
    digits::<8>(number)?;
    Some(leading(number, 6) % 89 == leading(number.get(6..)?, 2))
}

/// Luxembourg's number of a person: thirteen digits, Luhn over twelve and Verhoeff over thirteen.
pub(crate) fn luxembourg_person(number: &[u8]) -> Option<bool> {
    digits::<13>(number)?;
    let first = number.get(..12)?;
    let second = [number.get(..11)?, number.get(12..)?].concat();
    Some(luhn_ascii(first) && verhoeff(&second))
}

/// Latvia: eleven digits of a company (from 4 on), or of a person.
pub(crate) fn latvia(number: &[u8]) -> Option<bool> {
    let [first, second, ..] = digits::<11>(number)?;
    if first > 3 {
        let sum = weighted(number, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]);
        return Some(sum % 11 == 3);
    }
    // Numbers that begin with 32 are drawn at random and have no check.
    (first != 3 || second != 2).then(|| {
        let sum = 1 + weighted(number, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9]);
        sum % 11 % 10 == at(number, 10)
    })
}

/// Malta: eight digits modulo 37.
pub(crate) fn malta(number: &[u8]) -> Option<bool> {
    let [first, ..] = digits::<8>(number)?;
    Some(first != 0 && weighted(number, &[3, 4, 6, 7, 8, 9, 10, 1]).is_multiple_of(37))
}

/// Netherlands: nine digits, B, two digits; by the number inside, or mod 97-10 over all.
pub(crate) fn netherlands(number: &[u8]) -> Option<bool> {
    let (front, rest) = number.split_at_checked(9)?;
    digits::<9>(front)?;
    let [b'B', branch @ ..] = rest else { return None };
    digits::<2>(branch)?;
    let all = mod_97(b"NL".iter().chain(number).copied()) == Some(1);
    Some(branch != b"00" && (bsn(front)? || all))
}

/// Romania: two to ten digits, weights 7-5-3-2-1-7-5-3-2 to the right.
pub(crate) fn romania(number: &[u8]) -> Option<bool> {
    let (last, body) = number.split_last()?;
    let all_digits = number.iter().all(u8::is_ascii_digit);
    if !(1..=9).contains(&body.len()) || !all_digits || number.starts_with(b"0") {
        return None;
    }
    let weights = [2, 3, 5, 7, 1, 2, 3, 5, 7];
    let sum: u32 = body.iter().rev().zip(weights).map(|(b, w)| digit(*b).unwrap_or(0) * w).sum();
    Some(sum * 10 % 11 % 10 == digit(*last)?)
}

/// Sweden: the ten digits of a person or company, Luhn, and two of a branch.
pub(crate) fn sweden(number: &[u8]) -> Option<bool> {
    digits::<12>(number)?;
    Some(luhn_ascii(number.get(..10)?) && !number.ends_with(b"00"))
}

/// Slovenia: eight digits.
pub(crate) fn slovenia(number: &[u8]) -> Option<bool> {
    let [first, ..] = digits::<8>(number)?;
    let rest = 11 - weighted(number, &[8, 7, 6, 5, 4, 3, 2]) % 11;
    Some(first != 0 && rest != 11 && rest % 10 == at(number, 7))
}

/// Slovakia: ten digits divisible by 11.
pub(crate) fn slovakia(number: &[u8]) -> Option<bool> {
    let [first, _, third, ..] = digits::<10>(number)?;
    let divides = leading(number, 10).is_multiple_of(11);
    Some(divides && first != 0 && matches!(third, 2 | 3 | 4 | 7 | 8 | 9))
}

/// Norway: nine digits of an organisation, MVA behind them if it pays the tax.
pub(crate) fn norway_organisation(number: &[u8]) -> Option<bool> {
    let number = number.strip_suffix(b"MVA").unwrap_or(number);
    digits::<9>(number)?;
    let rest = (11 - weighted(number, &[3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    Some(rest == at(number, 8))
}

/// Greek number of a person: eleven digits, Luhn.
pub(crate) fn amka(number: &[u8]) -> Option<bool> {
    digits::<11>(number).map(|_| luhn_ascii(number))
}

/// Hungarian tax number of a person: ten digits that begin with 8, weights 1 to 9.
pub(crate) fn hungary_person(number: &[u8]) -> Option<bool> {
    digits::<10>(number)?;
    let sum = weighted(number, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    number.starts_with(b"8").then(|| sum % 11 == at(number, 9))
}

/// Austrian social insurance number: the check digit in place 4.
pub(crate) fn austria_person(number: &[u8]) -> Option<bool> {
    digits::<10>(number)?;
    Some(weighted(number, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == at(number, 3))
}

/// Polish register of companies: nine or fourteen digits.
pub(crate) fn regon(number: &[u8]) -> Option<bool> {
    let nine = |number| weighted(number, &[8, 9, 2, 3, 4, 5, 6, 7]) % 11 % 10 == at(number, 8);
    match number.len() {
        9 => digits::<9>(number).map(|_| nine(number)),
        14 => {
            digits::<14>(number)?;
            let sum = weighted(number, &[2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8]);
            Some(nine(number) && sum % 11 % 10 == at(number, 13))
        }
        _ => None,
    }
}

/// Korean number of a business: ten digits.
pub(crate) fn korea_business(number: &[u8]) -> Option<bool> {
    digits::<10>(number)?;
    let sum = weighted(number, &[1, 3, 7, 1, 3, 7, 1, 3, 5]) + at(number, 8) * 5 / 10;
    Some((10 - sum % 10) % 10 == at(number, 9))
}

/// Korean number of a corporation: thirteen digits, weights 1 and 2 in turn.
pub(crate) fn korea_corporation(number: &[u8]) -> Option<bool> {
    digits::<13>(number)?;
    let sum = weighted(number, &[1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2]);
    Some((10 - sum % 10) % 10 == at(number, 12))
}

/// Cuban identity number: eleven digits that begin with a birth date; no check digit.
pub(crate) fn cuba(number: &[u8]) -> Option<bool> {
    digits::<11>(number)?;
    let (month, day) = (leading(number.get(2..)?, 2), leading(number.get(4..)?, 2));
    // A date that does not exist shows an error; one that exists shows nothing.
    (!(1..=12).contains(&month) || !(1..=31).contains(&day)).then_some(false)
}

/// Russian insurance number of a person: eleven digits, weights 9 to 1, modulo 101.
pub(crate) fn snils(number: &[u8]) -> Option<bool> {
    digits::<11>(number)?;
    let sum = weighted(number, &[9, 8, 7, 6, 5, 4, 3, 2, 1]);
    Some(u64::from(sum % 101 % 100) == leading(number.get(9..)?, 2))
}
