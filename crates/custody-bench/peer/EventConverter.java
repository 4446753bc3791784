import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.PartitionSpec;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.hadoop.HadoopCatalog;
import org.apache.iceberg.types.Type;
import org.apache.iceberg.types.Types;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.storage.Converter;

/**
 * What a Kafka Connect sink needs to store Custody's events: a converter from a message, which is one event in Avro's single-object
 * encoding, to a Connect struct, and a {@code main} that makes the empty Iceberg table.
 *
 * <p>The setting {@code schema} names the file with the Avro schema; events of any other schema are refused. Values go from the bytes
 * straight into the struct, without a generic Avro record between them, which is less work than the usual converters do. A
 * {@code timestamp-micros} stays a plain 64-bit integer, because Connect's own timestamps have milliseconds only.
 */
public final class EventConverter implements Converter {
  private static final byte[] MARKER = {(byte) 0xC3, 0x01};
  private static final int FINGERPRINT_LENGTH = 8;
  private static final int HEADER_LENGTH = MARKER.length + FINGERPRINT_LENGTH;

  private Shape event;
  /** What every event begins with: the marker and the fingerprint of the schema. */
  private byte[] header;
  private BinaryDecoder decoder;

  @Override
  public void configure(Map<String, ?> settings, boolean isKey) {
    Object file = settings.get("schema");
    if (file == null) {
      throw new DataException("the setting `schema` does not name the file with the Avro schema");
    }
    try {
      String json = Files.readString(Path.of(file.toString()));
      org.apache.avro.Schema avro = new org.apache.avro.Schema.Parser().parse(json);
      event = shapeOf(avro, false);
      header = Arrays.copyOf(MARKER, HEADER_LENGTH);
      byte[] fingerprint = SchemaNormalization.parsingFingerprint("CRC-64-AVRO", avro);
      System.arraycopy(fingerprint, 0, header, MARKER.length, FINGERPRINT_LENGTH);
    } catch (IOException | NoSuchAlgorithmException error) {
      throw new DataException("the Avro schema `" + file + "` cannot be read", error);
    }
  }

  @Override
  public SchemaAndValue toConnectData(String topic, byte[] message) {
    if (message == null) {
      return SchemaAndValue.NULL;
    }
    if (message.length < HEADER_LENGTH || !Arrays.equals(message, 0, HEADER_LENGTH, header, 0, HEADER_LENGTH)) {
      throw new DataException("a message of `" + topic + "` is not an event of this schema");
    }
    try {
      decoder = DecoderFactory.get().binaryDecoder(message, HEADER_LENGTH, message.length - HEADER_LENGTH, decoder);
      Object value = event.read(decoder);
      if (!decoder.isEnd()) {
        throw new DataException("bytes are left behind an event in `" + topic + "`");
      }
      return new SchemaAndValue(event.schema, value);
    } catch (IOException | RuntimeException error) {
      // A decoder that failed in the midst of an event is not used again.
      decoder = null;
      throw new DataException("an event of `" + topic + "` cannot be read", error);
    }
  }

  @Override
  public byte[] fromConnectData(String topic, Schema schema, Object value) {
    throw new DataException("this converter only reads");
  }

  /**
   * Makes the empty table {@code bench.events} in a Hadoop catalog. The arguments are the file with the Avro schema, the catalog's folder
   * and the table's properties, each {@code name=value}. The sink could make the table by itself, but of two tasks that try at once one
   * waits five seconds for the other's lock.
   */
  public static void main(String[] arguments) {
    EventConverter converter = new EventConverter();
    converter.configure(Map.of("schema", arguments[0]), false);
    Map<String, String> properties = new HashMap<>();
    for (String argument : List.of(arguments).subList(2, arguments.length)) {
      String[] property = argument.split("=", 2);
      properties.put(property[0], property[1]);
    }
    Types.StructType columns = icebergType(converter.event.schema, new int[1]).asStructType();
    try (HadoopCatalog catalog = new HadoopCatalog(new Configuration(), arguments[1])) {
      TableIdentifier name = TableIdentifier.of("bench", "events");
      catalog.createTable(name, new org.apache.iceberg.Schema(columns.fields()), PartitionSpec.unpartitioned(), properties);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** The column type that the sink itself would choose; {@code lastId} holds the last field id that was given out. */
  private static Type icebergType(Schema schema, int[] lastId) {
    switch (schema.type()) {
      case STRUCT:
        List<Types.NestedField> columns = new ArrayList<>();
        for (Field field : schema.fields()) {
          int id = ++lastId[0];
          Type type = icebergType(field.schema(), lastId);
          boolean optional = field.schema().isOptional();
          columns.add(optional ? Types.NestedField.optional(id, field.name(), type) : Types.NestedField.required(id, field.name(), type));
        }
        return Types.StructType.of(columns);
      case ARRAY:
        return Types.ListType.ofRequired(++lastId[0], icebergType(schema.valueSchema(), lastId));
      case MAP:
        int key = ++lastId[0];
        int value = ++lastId[0];
        return Types.MapType.ofRequired(key, value, Types.StringType.get(), icebergType(schema.valueSchema(), lastId));
      case STRING:
        return Types.StringType.get();
      case BYTES:
        return Types.BinaryType.get();
      case BOOLEAN:
        return Types.BooleanType.get();
      case INT32:
        return Types.IntegerType.get();
      case INT64:
        return Types.LongType.get();
      case FLOAT32:
        return Types.FloatType.get();
      case FLOAT64:
        return Types.DoubleType.get();
      default:
        throw new DataException("the Connect type " + schema.type() + " has no place in an event");
    }
  }

  /** Reads one value of a type. */
  private interface Read {
    Object from(BinaryDecoder input) throws IOException;
  }

  /** A Connect schema and what reads its values. */
  private static final class Shape {
    final Schema schema;
    private final Read read;

    Shape(Schema schema, Read read) {
      this.schema = schema;
      this.read = read;
    }

    Object read(BinaryDecoder input) throws IOException {
      return read.from(input);
    }
  }

  private static Shape shapeOf(org.apache.avro.Schema avro, boolean optional) {
    switch (avro.getType()) {
      case UNION:
        return union(avro);
      case RECORD:
        return record(avro, optional);
      case ARRAY:
        return array(shapeOf(avro.getElementType(), false), optional);
      case MAP:
        return map(shapeOf(avro.getValueType(), false), optional);
      case ENUM:
        List<String> symbols = avro.getEnumSymbols();
        return new Shape(optional ? Schema.OPTIONAL_STRING_SCHEMA : Schema.STRING_SCHEMA, input -> symbols.get(input.readEnum()));
      case STRING:
        return new Shape(optional ? Schema.OPTIONAL_STRING_SCHEMA : Schema.STRING_SCHEMA, BinaryDecoder::readString);
      case BYTES:
        return new Shape(optional ? Schema.OPTIONAL_BYTES_SCHEMA : Schema.BYTES_SCHEMA, input -> input.readBytes(null));
      case FIXED:
        int size = avro.getFixedSize();
        return new Shape(optional ? Schema.OPTIONAL_BYTES_SCHEMA : Schema.BYTES_SCHEMA, input -> fixed(input, size));
      case BOOLEAN:
        return new Shape(optional ? Schema.OPTIONAL_BOOLEAN_SCHEMA : Schema.BOOLEAN_SCHEMA, BinaryDecoder::readBoolean);
      case INT:
        return new Shape(optional ? Schema.OPTIONAL_INT32_SCHEMA : Schema.INT32_SCHEMA, BinaryDecoder::readInt);
      case LONG:
        return new Shape(optional ? Schema.OPTIONAL_INT64_SCHEMA : Schema.INT64_SCHEMA, BinaryDecoder::readLong);
      case FLOAT:
        return new Shape(optional ? Schema.OPTIONAL_FLOAT32_SCHEMA : Schema.FLOAT32_SCHEMA, BinaryDecoder::readFloat);
      case DOUBLE:
        return new Shape(optional ? Schema.OPTIONAL_FLOAT64_SCHEMA : Schema.FLOAT64_SCHEMA, BinaryDecoder::readDouble);
      default:
        throw new DataException("the Avro type " + avro.getType() + " has no place in an event");
    }
  }

  /** Connect has no unions: only a type or null, which is that type made optional. */
  private static Shape union(org.apache.avro.Schema avro) {
    List<org.apache.avro.Schema> branches = avro.getTypes();
    boolean nullFirst = branches.get(0).getType() == org.apache.avro.Schema.Type.NULL;
    if (branches.size() != 2 || !(nullFirst || branches.get(1).getType() == org.apache.avro.Schema.Type.NULL)) {
      throw new DataException("an Avro union that is not a type or null: " + avro);
    }
    int present = nullFirst ? 1 : 0;
    Shape type = shapeOf(branches.get(present), true);
    return new Shape(type.schema, input -> input.readIndex() == present ? type.read(input) : null);
  }

  private static Shape record(org.apache.avro.Schema avro, boolean optional) {
    SchemaBuilder builder = SchemaBuilder.struct().name(avro.getFullName());
    List<Shape> types = new ArrayList<>();
    for (org.apache.avro.Schema.Field field : avro.getFields()) {
      Shape type = shapeOf(field.schema(), false);
      types.add(type);
      builder.field(field.name(), type.schema);
    }
    Schema schema = finished(builder, optional);
    Field[] fields = schema.fields().toArray(new Field[0]);
    Shape[] readers = types.toArray(new Shape[0]);
    return new Shape(
        schema,
        input -> {
          Struct struct = new Struct(schema);
          for (int place = 0; place < fields.length; place++) {
            Object value = readers[place].read(input);
            // A field that was never put is null already.
            if (value != null) {
              struct.put(fields[place], value);
            }
          }
          return struct;
        });
  }

  private static Shape array(Shape item, boolean optional) {
    return new Shape(
        finished(SchemaBuilder.array(item.schema), optional),
        input -> {
          List<Object> items = new ArrayList<>();
          for (long block = input.readArrayStart(); block != 0; block = input.arrayNext()) {
            for (long place = 0; place < block; place++) {
              items.add(item.read(input));
            }
          }
          return items;
        });
  }

  private static Shape map(Shape value, boolean optional) {
    return new Shape(
        finished(SchemaBuilder.map(Schema.STRING_SCHEMA, value.schema), optional),
        input -> {
          Map<String, Object> entries = new HashMap<>();
          for (long block = input.readMapStart(); block != 0; block = input.mapNext()) {
            for (long place = 0; place < block; place++) {
              entries.put(input.readString(), value.read(input));
            }
          }
          return entries;
        });
  }

  private static byte[] fixed(BinaryDecoder input, int size) throws IOException {
    byte[] bytes = new byte[size];
    input.readFixed(bytes);
    return bytes;
  }

  private static Schema finished(SchemaBuilder builder, boolean optional) {
    return optional ? builder.optional().build() : builder.build();
  }
}
