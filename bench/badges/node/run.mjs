// Issues and verifies one credential again and again with Digital Bazaar's
// libraries, contexts in memory, and prints the medians.
// Standard input: {"contexts": {url: document}, "credentials": {name: document}, "rounds": n}
// Standard output: {name: {"issue": seconds, "verify": seconds}}
import { readFileSync } from 'node:fs';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { cryptosuite } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';

const { contexts, credentials, rounds } = JSON.parse(readFileSync(0, 'utf8'));

const key = await Ed25519Multikey.generate();
const fragment = key.publicKeyMultibase;
const controller = `did:key:${fragment}`;
key.controller = controller;
key.id = `${controller}#${fragment}`;
const documents = new Map(Object.entries(contexts));
const method = await key.export({ publicKey: true, includeContext: true });
documents.set(key.id, method);
documents.set(controller, {
  '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
  id: controller,
  verificationMethod: [method],
  assertionMethod: [key.id],
});

async function documentLoader(url) {
  if (!documents.has(url)) {
    throw new Error(`no document for ${url}`);
  }
  return { documentUrl: url, document: documents.get(url) };
}

// What the status lists say is not measured.
const checkStatus = async () => ({ verified: true });

function median(list) {
  list.sort((a, b) => a - b);
  return list[list.length >> 1];
}

const out = {};
for (const [name, credential] of Object.entries(credentials)) {
  const issue = [], verify = [];
  credential.issuer.id = controller; // or the key is not the issuer's
  for (let i = 0; i < rounds + 3; i++) {
    const signer = new DataIntegrityProof({ signer: key.signer(), cryptosuite });
    const start = performance.now();
    const signed = await vc.issue({ credential: structuredClone(credential), suite: signer, documentLoader });
    const middle = performance.now();
    const suite = new DataIntegrityProof({ cryptosuite });
    const result = await vc.verifyCredential({ credential: signed, suite, documentLoader, checkStatus });
    const end = performance.now();
    if (!result.verified) {
      throw new Error(`${name}: ${JSON.stringify(result.error?.errors?.map(String) ?? String(result.error))}`);
    }
    if (i >= 3) { // the first ones warm up
      issue.push((middle - start) / 1000);
      verify.push((end - middle) / 1000);
    }
  }
  out[name] = { issue: median(issue), verify: median(verify) };
}
process.stdout.write(JSON.stringify(out));
