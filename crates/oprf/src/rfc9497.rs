//! The official vectors of RFC 9497, Appendix A.1.2; no test of our own making.

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::dleq::{self, Proof};
use crate::element::{BlindedElement, EvaluatedElement};
use crate::key::SecretKey;
use crate::receiver::Receiver;
use crate::sender::{Evaluated, Sender};
use crate::suite;
use curve25519_dalek::Scalar;

const FILE: &str = include_str!("../../../spec/vectors/rfc9497-voprf/ristretto255-voprf.json");

#[derive(Deserialize)]
struct Suite {
    identifier: String,
    mode: u8,
    seed: String,
    #[serde(rename = "keyInfo")]
    key_info: String,
    #[serde(rename = "skSm")]
    secret_key: String,
    #[serde(rename = "pkSm")]
    public_key: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vector {
    batch: usize,
    blind: String,
    blinded_element: String,
    evaluation_element: String,
    input: String,
    output: String,
    proof: VectorProof,
}

#[derive(Deserialize)]
struct VectorProof {
    proof: String,
    r: String,
}

fn list(text: &str) -> Vec<Vec<u8>> {
    text.split(',').map(|part| hex::decode(part).unwrap()).collect()
}

fn scalar(bytes: &[u8]) -> Scalar {
    Option::from(Scalar::from_canonical_bytes(bytes.try_into().unwrap())).unwrap()
}

#[test]
fn all_vectors_of_the_suite_hold() {
    let suites: Vec<Suite> = serde_json::from_str(FILE).unwrap();
    let [suite] = suites.as_slice() else { panic!("one suite") };
    assert_eq!((suite.identifier.as_str(), suite.mode), ("ristretto255-SHA512", 1));
    let seed = hex::decode(&suite.seed).unwrap().try_into().unwrap();
    let key = suite::derive_key(&seed, &hex::decode(&suite.key_info).unwrap()).unwrap();
    assert_eq!(hex::encode(key.as_bytes()), suite.secret_key);
    let sender = Sender::new(SecretKey::new(key));
    assert_eq!(hex::encode(sender.public_key().as_bytes()), suite.public_key);
    assert_eq!(suite.vectors.len(), 3);
    for vector in &suite.vectors {
        check(vector, key, &sender);
    }
}

fn check(vector: &Vector, key: Scalar, sender: &Sender) {
    let inputs = list(&vector.input);
    assert_eq!(inputs.len(), vector.batch);
    let blinds = list(&vector.blind).iter().map(|blind| scalar(blind)).collect();
    let framed = inputs.iter().cloned().map(Zeroizing::new).collect();
    let receiver = Receiver::blind_inputs(framed, Zeroizing::new(blinds), 1).unwrap();
    let bytes: Vec<Vec<u8>> =
        receiver.blinded().iter().map(|element| element.as_bytes().to_vec()).collect();
    assert_eq!(bytes, list(&vector.blinded_element));

    let received: Vec<BlindedElement> =
        bytes.iter().map(|bytes| BlindedElement::decode(bytes).unwrap()).collect();
    let elements = sender.evaluate_elements(&received).unwrap();
    let bytes: Vec<Vec<u8>> = elements.iter().map(|e| e.as_bytes().to_vec()).collect();
    assert_eq!(bytes, list(&vector.evaluation_element));

    let pairs = dleq::pairs(&received, &elements);
    let public = sender.public_key();
    let secret = SecretKey::new(key);
    let composites = dleq::composites_of_sender(&secret, public, &pairs, 1).unwrap();
    let nonce = Zeroizing::new(scalar(&hex::decode(&vector.proof.r).unwrap()));
    let proof = dleq::prove(&secret, public, &composites, &nonce);
    assert_eq!(hex::encode(proof.encode()), vector.proof.proof);

    // The receiver starts from the vector's bytes and not from what was computed above.
    let evaluated = Evaluated {
        elements: list(&vector.evaluation_element)
            .iter()
            .map(|bytes| EvaluatedElement::decode(bytes).unwrap())
            .collect(),
        proof: Proof::decode(&hex::decode(&vector.proof.proof).unwrap()).unwrap(),
    };
    let outputs = receiver.outputs(&evaluated, public).unwrap();
    let outputs: Vec<Vec<u8>> =
        outputs.iter().map(|output| output.expose_secret().to_vec()).collect();
    assert_eq!(outputs, list(&vector.output));
    for (input, output) in inputs.iter().zip(&outputs) {
        assert_eq!(sender.evaluate_input(input).unwrap().expose_secret().to_vec(), *output);
    }
    let slices: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    for (input, tag) in inputs.iter().zip(sender.evaluate_tags(&slices, 2).unwrap()) {
        assert_eq!(tag, sender.evaluate_input(input).unwrap().tag());
    }
}
