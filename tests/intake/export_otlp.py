"""Exports 100 log records by OpenTelemetry's own SDK: URL CA TOKEN SOURCE."""

import json
import sys
import time

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

url, ca, token, source = sys.argv[1:]
provider = LoggerProvider(resource=Resource.create({"service.name": "shop"}))
for compression in (Compression.NoCompression, Compression.Gzip):
    exporter = OTLPLogExporter(
        endpoint=f"{url}/v1/logs?source={source}",
        headers={"authorization": f"Bearer {token}"},
        certificate_file=ca,
        compression=compression,
    )
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
logger = provider.get_logger("checkout")
for number in range(100):
    failed = number % 10 == 0
    logger.emit(
        LogRecord(
            timestamp=time.time_ns(),
            severity_number=SeverityNumber.ERROR if failed else SeverityNumber.INFO,
            severity_text="ERROR" if failed else "INFO",
            body=f"order {number} was {'refused' if failed else 'taken'}",
            attributes={"order.id": number, "customer": {"country": "NZ"}, "items": ["pen", "ink"]},
        )
    )
flushed = provider.force_flush()
provider.shutdown()
print(json.dumps({"flushed": flushed}))
