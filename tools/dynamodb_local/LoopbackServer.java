/** Starts DynamoDB Local in memory on 127.0.0.1 only: its own launcher listens on every address. */
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.handler.ContextHandler;
import software.amazon.dynamodb.services.local.monitoring.Telemetry;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBRequestHandler;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBServerHandler;

public final class LoopbackServer {
    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 1) {
            System.err.println("usage: java LoopbackServer PORT");
            System.exit(2);
        }
        Telemetry.configureTelemetry("JAR", "IN_MEMORY_SHARED_DB", false);

        int port = Integer.parseInt(arguments[0]);
        boolean inMemory = true;
        String noFolder = null;
        boolean sharedDb = true;
        boolean delayStatuses = false;
        var requests = new LocalDynamoDBRequestHandler(0, inMemory, noFolder, sharedDb, delayStatuses);

        var server = new Server(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port));
        server.setHandler(new ContextHandler(new LocalDynamoDBServerHandler(requests, null)));
        server.start();
        server.join();
    }
}
