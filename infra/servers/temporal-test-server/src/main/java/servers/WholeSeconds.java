package servers;

import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.temporal.api.command.v1.Command;
import io.temporal.api.command.v1.ScheduleActivityTaskCommandAttributes;
import io.temporal.api.workflowservice.v1.RespondWorkflowTaskCompletedRequest;

/**
 * Makes each activity's schedule-to-close timeout a nanosecond longer. The server takes an expiry without nanoseconds for
 * none, and would retry past it: about one activity in a thousand, as its clock counts milliseconds. Limits that come from
 * a workflow's own timeout are not covered.
 */
final class WholeSeconds implements ServerInterceptor {
  private static final Duration NANOSECOND = Durations.fromNanos(1);

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    return new SimpleForwardingServerCallListener<Q>(next.startCall(call, headers)) {
      @Override
      @SuppressWarnings("unchecked")
      public void onMessage(Q message) {
        boolean hasCommands = message instanceof RespondWorkflowTaskCompletedRequest;
        super.onMessage(hasCommands ? (Q) longer((RespondWorkflowTaskCompletedRequest) message) : message);
      }
    };
  }

  private static RespondWorkflowTaskCompletedRequest longer(RespondWorkflowTaskCompletedRequest message) {
    RespondWorkflowTaskCompletedRequest.Builder request = message.toBuilder();
    for (Command.Builder command : request.getCommandsBuilderList()) {
      if (!command.hasScheduleActivityTaskCommandAttributes()) continue;
      ScheduleActivityTaskCommandAttributes.Builder activity = command.getScheduleActivityTaskCommandAttributesBuilder();
      Duration timeout = activity.getScheduleToCloseTimeout();
      if (Durations.isPositive(timeout)) activity.setScheduleToCloseTimeout(Durations.add(timeout, NANOSECOND));
    }
    return request.build();
  }
}
