// Holds manifests to the schemas of the Kubernetes API and of the Prometheus operator.
//
//   node check.js <manifests >complaints
//
// On each line a JSON array of manifests in, a JSON array of complaints out. The validators of kubernetes-models
// let fields pass that no schema has, as the schemas do. A cluster's API server refuses them, and a typing error is
// such a field. So each object is shown to its validator through a proxy that notes which fields it asks for: it
// asks for all that its schema has. Whoever lists an object's fields takes it for a map, where all are allowed.
'use strict';

const fs = require('fs');
const path = require('path');

const PACKAGES = {
  'v1': ['kubernetes-models', 'IoK8sApiCoreV1'],
  'apps/v1': ['kubernetes-models', 'IoK8sApiAppsV1'],
  'policy/v1': ['kubernetes-models', 'IoK8sApiPolicyV1'],
  'networking.k8s.io/v1': ['kubernetes-models', 'IoK8sApiNetworkingV1'],
  'monitoring.coreos.com/v1': ['@kubernetes-models/prometheus-operator', 'MonitoringCoreosComV1'],
};

function validatorOf(manifest) {
  const known = PACKAGES[manifest.apiVersion];
  if (!known || !/^[A-Za-z]+$/.test(manifest.kind)) return null;
  // By its path: the package's exports hide it.
  const file = path.join(__dirname, 'node_modules', known[0], '_schemas', `${known[1]}${manifest.kind}.js`);
  return fs.existsSync(file) ? require(file).validate : null;
}

// `value` behind proxies; each object that somebody looks into is added to `seen`.
function watched(value, at, seen) {
  if (value === null || typeof value !== 'object') return value;
  const isArray = Array.isArray(value);
  const note = { at, value, asked: new Set(), isMap: isArray };
  const inner = new Map();
  return new Proxy(value, {
    get(target, name) {
      if (typeof name === 'string') {
        if (note.asked.size === 0) seen.push(note);
        note.asked.add(name);
      }
      if (!Object.hasOwn(target, name)) return target[name];
      if (!inner.has(name)) inner.set(name, watched(target[name], `${at}/${String(name)}`, seen));
      return inner.get(name);
    },
    ownKeys(target) {
      note.isMap = true;
      return Reflect.ownKeys(target);
    },
  });
}

function complaintsAbout(manifest) {
  const name = `${manifest.kind}/${manifest.metadata?.name}`;
  const validate = validatorOf(manifest);
  if (!validate) return [`${name}: there is no kind ${manifest.kind} of ${manifest.apiVersion}`];
  const seen = [];
  const complaints = [];
  if (!validate(watched(manifest, '', seen))) {
    for (const error of validate.errors) {
      complaints.push(`${name}: ${error.instancePath}: ${error.keyword} ${JSON.stringify(error.params)}`);
    }
  }
  for (const { at, value, asked, isMap } of seen) {
    if (isMap) continue;
    for (const field of Object.keys(value)) {
      if (!asked.has(field)) complaints.push(`${name}: ${at}/${field}: there is no such field`);
    }
  }
  return complaints;
}

require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(JSON.stringify(JSON.parse(line).flatMap(complaintsAbout)) + '\n');
});
