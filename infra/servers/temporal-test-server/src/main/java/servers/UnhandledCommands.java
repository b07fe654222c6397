package servers;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.temporal.api.command.v1.Command;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.enums.v1.CommandType;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.api.workflowservice.v1.DescribeWorkflowExecutionRequest;
import io.temporal.api.workflowservice.v1.DescribeWorkflowExecutionResponse;
import io.temporal.api.workflowservice.v1.RespondWorkflowTaskCompletedRequest;
import io.temporal.api.workflowservice.v1.WorkflowServiceGrpc.WorkflowServiceImplBase;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * Tells a worker that its workflow could not end. If an event or an update has arrived meanwhile, the server fails the
 * workflow task, but answers as if it were completed. A worker that has the next task already goes on from a state that the
 * server threw away, and the answer to an update may be lost with it. A real server answers with this error, upon which
 * the worker replays.
 */
final class UnhandledCommands implements ServerInterceptor {
  private static final Set<CommandType> ENDS =
      EnumSet.of(
          CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
          CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
          CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
          CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);

  private final WorkflowServiceImplBase service;

  UnhandledCommands(WorkflowServiceImplBase service) {
    this.service = service;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    EndingCall<Q, A> ending = new EndingCall<>(call);
    return new SimpleForwardingServerCallListener<Q>(next.startCall(ending, headers)) {
      @Override
      public void onMessage(Q message) {
        if (message instanceof RespondWorkflowTaskCompletedRequest) {
          ending.request = (RespondWorkflowTaskCompletedRequest) message;
        }
        super.onMessage(message);
      }
    };
  }

  private final class EndingCall<Q, A> extends SimpleForwardingServerCall<Q, A> {
    private RespondWorkflowTaskCompletedRequest request;
    private boolean isUnhandled;

    EndingCall(ServerCall<Q, A> call) {
      super(call);
    }

    @Override
    public void sendMessage(A answer) {
      isUnhandled = request != null && ends(request) && isRunning(request);
      if (!isUnhandled) super.sendMessage(answer);
    }

    @Override
    public void close(Status status, Metadata trailers) {
      super.close(isUnhandled ? Status.INVALID_ARGUMENT.withDescription("UnhandledCommand") : status, trailers);
    }
  }

  private static boolean ends(RespondWorkflowTaskCompletedRequest request) {
    return request.getCommandsList().stream().map(Command::getCommandType).anyMatch(ENDS::contains);
  }

  private boolean isRunning(RespondWorkflowTaskCompletedRequest request) {
    DescribeWorkflowExecutionRequest.Builder describe = DescribeWorkflowExecutionRequest.newBuilder();
    // The server's token begins with the namespace, the workflow id and the run id.
    try (DataInputStream token = new DataInputStream(new ByteArrayInputStream(request.getTaskToken().toByteArray()))) {
      describe.setNamespace(token.readUTF());
      describe.setExecution(
          WorkflowExecution.newBuilder().setWorkflowId(token.readUTF()).setRunId(token.readUTF()));
    } catch (IOException e) {
      throw Status.INVALID_ARGUMENT.withDescription("no token of a workflow task").withCause(e).asRuntimeException();
    }
    CompletableFuture<DescribeWorkflowExecutionResponse> described = new CompletableFuture<>();
    try {
      service.describeWorkflowExecution(describe.build(), new FirstOf<>(described));
      return described.join().getWorkflowExecutionInfo().getStatus()
          == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING;
    } catch (RuntimeException e) {
      // What cannot be looked up is as the server says.
      return false;
    }
  }

  private static final class FirstOf<T> implements StreamObserver<T> {
    private final CompletableFuture<T> first;

    FirstOf(CompletableFuture<T> first) {
      this.first = first;
    }

    @Override
    public void onNext(T value) {
      first.complete(value);
    }

    @Override
    public void onError(Throwable error) {
      first.completeExceptionally(error);
    }

    @Override
    public void onCompleted() {}
  }
}
