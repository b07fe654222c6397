package servers;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.temporal.internal.testservice.TestServicesStarter;
import java.net.InetSocketAddress;

/**
 * Temporal's time-skipping test server for one parent process. The stock main class listens on all interfaces and
 * outlives a parent that was killed; this one listens on loopback and halts with its parent. It works around
 * two faults: {@link WholeSeconds} and {@link UnhandledCommands}.
 *
 * <p>Arguments: the port first; whatever follows (the SDKs pass --enable-time-skipping) is ignored, time is skipped.
 */
public final class LoopbackTestServer {
  public static void main(String[] arguments) throws Exception {
    haltWith(Long.getLong("parent.pid", ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(0L)));

    TestServicesStarter services = new TestServicesStarter(true, 0);
    NettyServerBuilder server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])));
    for (BindableService service : services.getServices()) {
      server.addService(service);
    }
    server.intercept(new WholeSeconds()).intercept(new UnhandledCommands(services.getWorkflowService()));
    Server running = server.build().start();
    // For the build, which records the classes that are loaded until here: see temporal-test-server.
    if (Boolean.getBoolean("end.once.up")) {
      System.exit(0);
    }
    running.awaitTermination();
  }

  private static void haltWith(long parent) {
    Thread watch =
        new Thread(
            () -> {
              // Polled rather than onExit(): an orphan's new parent shows at once, even if the old one is never reaped.
              while (ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(0L) == parent) {
                try {
                  Thread.sleep(250);
                } catch (InterruptedException e) {
                  break;
                }
              }
              Runtime.getRuntime().halt(0);
            },
            "parent-watch");
    watch.setDaemon(true);
    watch.start();
  }
}
