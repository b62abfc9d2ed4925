/** Names and attributes of spans by the OpenTelemetry semantic conventions (HTTP, RPC, database, messaging). */
import { intAttribute, type KeyValue, textAttribute } from './otlp-json.ts';
import type { OperationModel, Protocol } from './shop-model.ts';

/** What can be called. */
interface Endpoint {
  readonly name: string;
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  /** Carries the messages of a consumer. */
  readonly queue: Endpoint | undefined;
}

export interface SpanNaming {
  /** Of the server (or consumer) span. */
  readonly server: string;
  /** Of the client (or producer) span. */
  readonly client: string;
  /** `http.request.method`; empty when it is not HTTP. */
  readonly method: string;
  /** `http.route`; empty when it is not HTTP. */
  readonly route: string;
  readonly rpcService: string;
}

export function spanNaming(service: Endpoint, operation: OperationModel): SpanNaming {
  const [method = '', route = ''] = operation.name.split(' ');
  const { name } = operation;
  switch (service.protocol) {
    case 'http':
    case 'external':
      return { server: name, client: name, method, route, rpcService: '' };
    case 'grpc': {
      const rpcService = `shop.${service.name}.v1.${capitalize(service.name)}`;
      return { server: `${rpcService}/${name}`, client: `${rpcService}/${name}`, method: '', route: '', rpcService };
    }
    case 'consumer':
      return { server: `process ${name}`, client: `publish ${name}`, method: '', route: '', rpcService: '' };
    default:
      return { server: name, client: name, method: '', route: '', rpcService: '' };
  }
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function serverAttributes(service: Endpoint, naming: SpanNaming): KeyValue[] {
  switch (service.protocol) {
    case 'http':
      return [
        textAttribute('http.request.method', naming.method),
        textAttribute('http.route', naming.route),
        textAttribute('url.scheme', 'http'),
        textAttribute('network.protocol.version', '1.1'),
        textAttribute('server.address', service.host),
      ];
    case 'grpc':
      return rpcAttributes(naming);
    case 'consumer':
      return [...messagingAttributes(naming), textAttribute('messaging.operation.type', 'process')];
    default:
      return [];
  }
}

export function clientAttributes(service: Endpoint, operation: OperationModel, naming: SpanNaming): KeyValue[] {
  const peer = [
    textAttribute('peer.service', service.queue?.name ?? service.name),
    textAttribute('server.address', service.queue?.host ?? service.host),
    intAttribute('server.port', service.port),
  ];
  switch (service.protocol) {
    case 'http':
      return [...peer, textAttribute('http.request.method', naming.method)];
    case 'external':
      return [
        ...peer,
        textAttribute('http.request.method', naming.method),
        textAttribute('url.full', `https://${service.host}${operation.text ?? ''}`),
      ];
    case 'grpc':
      return [...peer, ...rpcAttributes(naming)];
    case 'consumer':
      return [...peer, ...messagingAttributes(naming), textAttribute('messaging.operation.type', 'send')];
    default:
      return [
        ...peer,
        textAttribute('db.system', service.protocol),
        textAttribute('db.namespace', service.name.replace(/-.*/, '')),
        textAttribute('db.operation.name', operation.name.split(' ')[0] ?? ''),
        textAttribute('db.collection.name', operation.collection ?? ''),
        textAttribute('db.query.text', operation.text ?? ''),
      ];
  }
}

function rpcAttributes(naming: SpanNaming): KeyValue[] {
  const method = naming.server.slice(naming.rpcService.length + 1);
  return [
    textAttribute('rpc.system', 'grpc'),
    textAttribute('rpc.service', naming.rpcService),
    textAttribute('rpc.method', method),
  ];
}

function messagingAttributes(naming: SpanNaming): KeyValue[] {
  return [
    textAttribute('messaging.system', 'rabbitmq'),
    textAttribute('messaging.destination.name', naming.server.replace('process ', '')),
  ];
}
